# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One card as a worker sees it: the clock of its own events, its free memory, random data.

No setting of a card is touched: no clocks, no power limit, no persistence mode.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

import burn_in_values as values

SEED = 20261122


class Card:
    """A card that this process works on."""

    def __init__(self, torch: t.Any, index: int) -> None:
        self.torch = torch
        self.index = index
        self.device = torch.device("cuda", index)
        self.subject = f"gpu {index}"
        torch.cuda.set_device(self.device)

    def library(self) -> str:
        """Return the versions that stand behind the figures."""
        torch = self.torch
        nccl = torch.cuda.nccl.version() if torch.distributed.is_nccl_available() else ()
        return ", NCCL ".join([f"torch {torch.__version__}", *([".".join(str(one) for one in nccl)] if nccl else [])])

    def free_bytes(self) -> int:
        self.torch.cuda.empty_cache()
        return int(self.torch.cuda.mem_get_info(self.device)[0])

    def synchronize(self) -> None:
        """Wait for the current card, which is another one while copies between cards are measured."""
        self.torch.cuda.synchronize()

    def seconds(self, call: t.Callable[[], t.Any], times: int) -> float:
        """Return the seconds that one of ``times`` calls in a row takes on the card, by the card's own events."""
        start = self.torch.cuda.Event(enable_timing=True)
        end = self.torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(times):
            call()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / 1e3 / times

    def bursts(
        self,
        call: t.Callable[[], t.Any],
        times: int,
        samples: int,
        pause_seconds: float = 0.0,
        warm_seconds: float = 0.2,
    ) -> list[float]:
        """Return samples of ``seconds``, after a warm-up that brings the clocks up."""
        warm = time.monotonic() + warm_seconds
        while time.monotonic() < warm:
            call()
            self.synchronize()
        found = []
        for _ in range(samples):
            time.sleep(pause_seconds)
            found.append(self.seconds(call, times))
        return found

    def generator(self, seed: int = SEED) -> t.Any:
        return self.torch.Generator(device=self.device).manual_seed(seed)

    def noise(self, *shape: int, seed: int = SEED) -> t.Any:
        """Return normally distributed numbers, the same on every card of a kind: a card is faster on zeros."""
        return self.torch.randn(*shape, device=self.device, generator=self.generator(seed))

    def random_words(self, size: int, index: int | None = None, seed: int = SEED) -> t.Any:
        """Return ``size`` random bytes as 64-bit words, on this card or another."""
        device = self.device if index is None else self.torch.device("cuda", index)
        generator = self.torch.Generator(device=device).manual_seed(seed)
        return self.torch.empty(size // 8, dtype=self.torch.int64, device=device).random_(generator=generator)

    def near_cores(self) -> None:
        """Keep this process on the cores beside its card, so that buffers of the host lie there too."""
        properties = self.torch.cuda.get_device_properties(self.device)
        with contextlib.suppress(AttributeError, OSError):
            place = (properties.pci_domain_id, properties.pci_bus_id, properties.pci_device_id)
            address = "{:04x}:{:02x}:{:02x}.0".format(*place)
            with open(f"/sys/bus/pci/devices/{address}/local_cpulist", encoding="ascii") as file:
                wanted = values.cores(file.read()) & os.sched_getaffinity(0)
            if wanted:
                os.sched_setaffinity(0, wanted)
