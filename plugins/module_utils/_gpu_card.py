# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a row of the GPU catalogue holds, and how a card is found in it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

#: How GPUs of a kind talk to each other: not by NVLink; by bridges that may be missing; wired directly; through
#: NVSwitches on PCI that Fabric Manager runs (NVLink 3 and 4); through NVSwitches behind ConnectX functions that need
#: nvlsm too (NVLink 5 boards); through the switch trays of a rack, where the node runs nvidia-imex.
FABRICS = ("none", "bridge", "direct", "nvswitch", "nvswitch5", "rack")

#: Raw signalling of an NVLink × this = payload per direction (26 562 → 25 000 MB/s).
NVLINK_PAYLOAD = 0.94
#: GB/s of payload per direction and lane, by PCIe generation.
PCIE_GB_S_PER_LANE = {3: 0.985, 4: 1.969, 5: 3.938, 6: 7.563}


@dataclasses.dataclass(frozen=True)
class Floor:
    """The least that a healthy card reaches. ``value`` None stands for ``calibrate``: nobody published a sound number.

    ``what``: ``hbm_copy_mb_s``, ``bf16_gemm_tflops``, ``h2d_gb_s`` or ``p2p_gb_s``.
    """

    what: str
    value: float | None
    source: str
    date: str


@dataclasses.dataclass(frozen=True)
class Card:
    """One kind of card. A value that nobody published is None, which makes checks ``not_verified``, never ``pass``.

    ``memory_gib`` is about what NVML reports, not what brochures say; ``power_w`` is the brochure's: NVML's own default
    limit is the one to compare with. ``nvlinks`` are the links that are up when all is well, ``nvlink_mb_s`` their raw
    speed as NVML tells it, ``nvswitches`` the switches on the PCI bus of a full bare-metal board.
    """

    kind: str
    name: str
    device_ids: tuple[str, ...]
    architecture: str
    memory_gib: float | None
    memory_bandwidth_gb_s: int | None
    bf16_tflops: float | None
    power_w: int | None
    fabric: str
    nvlinks: int | None
    nvlink_mb_s: int | None
    nvswitches: int | None
    pcie_generation: int | None
    pcie_width: int | None
    module_flavours: tuple[str, ...]
    least_branch: int | None = None
    last_branch: int | None = None
    hbm: bool = True
    floors: tuple[Floor, ...] = ()
    source: str = ""
    date: str = "2026-11-22"

    def peak(self, what: str) -> float | None:
        """Return the physical peak that a floor is measured against, or None when it is not known."""
        if what == "hbm_copy_mb_s":
            return None if self.memory_bandwidth_gb_s is None else self.memory_bandwidth_gb_s * 1000.0
        if what == "bf16_gemm_tflops":
            return self.bf16_tflops
        if what == "h2d_gb_s" and self.pcie_generation and self.pcie_width:
            return PCIE_GB_S_PER_LANE[self.pcie_generation] * self.pcie_width
        if what == "p2p_gb_s" and self.nvlinks and self.nvlink_mb_s:
            return self.nvlinks * self.nvlink_mb_s * NVLINK_PAYLOAD / 1000
        return None


def index(cards: t.Iterable[Card]) -> dict[str, Card]:
    """Return {PCI device id: card}. Raises ValueError when two rows claim one id."""
    found: dict[str, Card] = {}
    for card in cards:
        for device_id in card.device_ids:
            if device_id in found:
                raise ValueError(f"{device_id} is both {found[device_id].kind} and {card.kind}")
            found[device_id] = card
    return found
