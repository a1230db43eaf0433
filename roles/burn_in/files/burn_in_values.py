# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arithmetic of a burn-in: what a figure means, how bytes are counted, and the form of a measurement.

Bytes: GB and TB are powers of ten, sizes of buffers powers of two. A copy inside of a card reads and writes each byte and is
counted both ways; a copy between host and card, or between two cards, is counted once. busbw is the figure of nccl-tests.
"""

from __future__ import annotations

import statistics
import typing as t

Measurement = dict[str, t.Any]

#: What each kind is told in.
UNITS = {
    "gemm": "TFLOP/s",
    "hbm_copy": "GB/s",
    "h2d": "GB/s",
    "d2h": "GB/s",
    "p2p": "GB/s",
    "all_reduce": "GB/s",
    "temperature": "degC",
    "clock_throttle": "",
    "wrong_result": "",
}

GIB = 1 << 30


def tflops(size: int, seconds: float) -> float:
    """Return TFLOP/s of one product of two square matrices: 2·n³ operations (a multiplication and an addition)."""
    return 2.0 * size**3 / seconds / 1e12


def copied_gb_s(size: int, seconds: float) -> float:
    """Return GB/s of a copy inside of one card: every byte is read once and written once."""
    return 2.0 * size / seconds / 1e9


def moved_gb_s(size: int, seconds: float) -> float:
    """Return GB/s of a copy from one memory to another: every byte crosses the link once."""
    return size / seconds / 1e9


def busbw_gb_s(size: int, seconds: float, ranks: int) -> float:
    """Return the bus bandwidth of an all-reduce in GB/s as nccl-tests tells it: bytes/second × 2(n-1)/n."""
    return size / seconds / 1e9 * 2 * (ranks - 1) / ranks


def measurement(
    kind: str,
    subject: str,
    samples: t.Sequence[float] = (),
    parameters: t.Mapping[str, t.Any] | None = None,
    **other: t.Any,
) -> Measurement:
    """Return a measurement whose value is the median of its samples; ``other`` replaces or adds keys."""
    return {
        "node": "",
        "peer": "",
        "kind": kind,
        "subject": subject,
        "value": rounded(statistics.median(samples)) if samples else None,
        "unit": UNITS[kind],
        "parameters": dict(parameters or {}),
        "series": [],
        "samples": [rounded(one) for one in samples],
        "tool": "",
        "command": "",
        "seconds": 0.0,
        "problem": "",
        **other,
    }


def missing(kind: str, subject: str, problem: str, fault: bool = False, **parameters: t.Any) -> Measurement:
    """Return what stands for a measurement that did not come about. ``fault``: the card or its driver failed in it."""
    return measurement(kind, subject, (), {**parameters, **({"fault": True} if fault else {})}, problem=problem)


def rounded(value: float) -> float:
    """Return a number with five digits: what follows is noise, and makes two runs differ in a diff."""
    return float(f"{value:.5g}")


def cores(text: str) -> set[int]:
    """Return the numbers of a list of CPUs as the kernel writes it: ``0-3,8`` → {0, 1, 2, 3, 8}."""
    found: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            found |= set(range(int(first), int(last or first) + 1))
    return found


def odd_ones(checksums: t.Mapping[str, str]) -> list[str]:
    """Return the subjects whose checksum is not that of the majority; all of them when there is no majority."""
    counts: dict[str, int] = {}
    for one in checksums.values():
        counts[one] = counts.get(one, 0) + 1
    most = max(counts.values(), default=0)
    if len(counts) > 1 and 2 * most <= len(checksums):
        return sorted(checksums)
    return sorted(who for who, one in checksums.items() if counts[one] < most)
