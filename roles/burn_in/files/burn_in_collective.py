# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The all-reduce of NCCL through torch.distributed: one process per card, messages of many sizes, in place."""

from __future__ import annotations

import datetime
import typing as t

from burn_in_card import Card
from burn_in_figures import Steps
from burn_in_values import measurement

GIB = 1 << 30

#: Words of the message whose sum is compared with what it must be.
EXACT_WORDS = 16 << 20


def join(card: Card, rank: int, ranks: int, address: str, seconds: float) -> None:
    """Make the group of all ranks. Raises what torch raises."""
    card.torch.distributed.init_process_group(
        "nccl",
        init_method=f"tcp://{address}",
        rank=rank,
        world_size=ranks,
        timeout=datetime.timedelta(seconds=seconds),
        device_id=card.device,
    )


def all_reduce(card: Card, rank: int, ranks: int, address: str, sizes: t.Sequence[int], samples: int) -> Steps:
    """Sums of random numbers over all cards; the caller turns seconds into busbw, as the slowest rank counts.

    ``series`` of the measurement: [bytes, [seconds of each sample]]. A second measurement tells how many words of an exact sum
    were wrong on this card.
    """
    distributed = card.torch.distributed
    join(card, rank, ranks, address, 60)
    try:
        room = card.free_bytes() * 3 // 4
        fitting = sorted(size for size in set(sizes) if size <= room)
        buffer = card.torch.empty(max(fitting) // 4, dtype=card.torch.float32, device=card.device)
        distributed.all_reduce(buffer[:1024])
        yield
        wrong = _wrong_words(card, rank, ranks)
        series = []
        for size in fitting:
            words = buffer[: size // 4]
            times = 2 if size >= GIB else 20
            series.append([size, [_sample(card, words, rank, times) for _ in range(samples)]])
    finally:
        distributed.destroy_process_group()
    subject = f"gpu {card.index}"
    return [
        measurement("all_reduce", subject, (), {"gpus": ranks, "nodes": 1, "dtype": "fp32"}, series=series),
        measurement("wrong_result", subject, [wrong], {"of": "all-reduce", "words": EXACT_WORDS}),
    ]


def _sample(card: Card, words: t.Any, rank: int, times: int) -> float:
    """Return the seconds of one all-reduce out of ``times``. Numbers begin so small that 8 ranks do not sum them to infinity."""
    reduce = card.torch.distributed.all_reduce
    words.normal_(generator=card.generator(rank)).mul_(1e-30)
    # The first one waits for the slowest rank to come.
    reduce(words)
    return card.seconds(lambda: reduce(words), times)


def _wrong_words(card: Card, rank: int, ranks: int) -> int:
    """Return how many words of a sum of small integers, exact in float32 in any order, are wrong."""

    def part(of: int) -> t.Any:
        words = card.torch.empty(EXACT_WORDS, dtype=card.torch.float32, device=card.device)
        return words.random_(0, 1000, generator=card.generator(1000 + of))

    wanted = sum((part(one) for one in range(1, ranks)), part(0))
    got = part(rank)
    card.torch.distributed.all_reduce(got)
    return int((got != wanted).sum().item())
