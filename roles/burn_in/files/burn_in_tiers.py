# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each tier measures, how often, and within which time."""

from __future__ import annotations

import dataclasses

MIB = 1 << 20
GIB = 1 << 30


@dataclasses.dataclass(frozen=True)
class Tier:
    """One row of the table: sizes, repeats, seconds."""

    #: What the whole run may take; what is left out for it has a problem that says so.
    budget_seconds: float
    #: Edges of the matrices.
    gemm_sizes: tuple[int, ...]
    #: Samples of each figure; the value is their median.
    samples: int
    copy_samples: int
    #: Products of a sample. The pause between samples lets the power limit forget the last one: a burst is measured.
    products: int
    pause_seconds: float
    #: Messages of the all-reduce.
    message_bytes: tuple[int, ...]
    #: How long all cards multiply at once while temperatures are watched and results are compared.
    load_seconds: float


def _powers(first: int, last: int, factor: int) -> tuple[int, ...]:
    sizes = []
    while first <= last:
        sizes.append(first)
        first *= factor
    return tuple(sizes)


TIERS: dict[str, Tier] = {
    "quick": Tier(60, (8192,), 9, 5, 10, 0.05, (8 * MIB, 64 * MIB, 512 * MIB, 2 * GIB, 8 * GIB), 12),
    "standard": Tier(900, (8192, 10240, 16384), 15, 15, 10, 0.1, (*_powers(MIB, 16 * GIB, 4), 8 * GIB), 180),
    "soak": Tier(3 * 3600, (8192, 10240, 16384), 25, 25, 10, 0.1, _powers(1024, 16 * GIB, 2), 3600),
}

#: dtypes of the products, in the order in which they are measured.
DTYPES = ("bf16", "fp16", "fp8", "tf32")

#: One of two buffers of a copy inside of a card, of a copy between host and card, and between two cards.
HBM_BYTES = 4 * GIB
HOST_BYTES = 512 * MIB
PEER_BYTES = GIB
