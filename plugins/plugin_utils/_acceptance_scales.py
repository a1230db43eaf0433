# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From values to places on a drawing: linear and logarithmic scales with round ticks, levels of a heat map.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import math
import typing as t

#: The shades of a heat map, from the least to the most.
LEVELS = 8

#: A heat map spans at least this share of its largest value, so that noise does not look like a difference.
LEAST_SPAN = 0.25


@dataclasses.dataclass(frozen=True)
class Scale:
    """A straight line from values ``low``..``high`` to places ``start``..``end``; with ``log`` from their logarithms."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value, rounded to a tenth of a pixel; values outside are held at the ends."""
        low, high, here = (math.log2(one) if self.log else one for one in (self.low, self.high, max(value, self.low)))
        share = min((here - low) / (high - low), 1.0) if high > low else 0.0
        return round(self.start + share * (self.end - self.start), 1)


def step(span: float, count: int = 5) -> float:
    """Return a round distance (1, 2 or 5 times a power of ten) that cuts ``span`` into about ``count`` parts."""
    if span <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / count))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power * count >= span * 0.999)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round values from at or below ``low`` to at or above ``high``."""
    apart = step(high - low, count)
    first, last = math.floor(low / apart + 1e-9), math.ceil(high / apart - 1e-9)
    return [round(place * apart, 10) for place in range(first, max(last, first + 1) + 1)]


def powers(low: float, high: float, count: int = 8) -> list[float]:
    """Return at most about ``count`` powers of two from ``low`` to ``high``, evenly apart; both must be above zero."""
    first, last = math.ceil(math.log2(low) - 1e-9), math.floor(math.log2(high) + 1e-9)
    apart = max(1, math.ceil((last - first) / count))
    return [float(2**place) for place in range(first, last + 1, apart)]


def level(value: float, low: float, high: float) -> int:
    """Return the shade of a value in a heat map of values from ``low`` to ``high``: 0 to LEVELS - 1."""
    low = least(low, high)
    if high <= low:
        return LEVELS - 1
    return max(0, min(LEVELS - 1, math.floor((value - low) / (high - low) * LEVELS)))


def least(low: float, high: float) -> float:
    """Return the value of the lightest shade."""
    return min(low, high * (1 - LEAST_SPAN))


def extent(values: t.Iterable[float]) -> tuple[float, float]:
    """Return the least and the largest value; (0, 0) without any."""
    found = list(values)
    return (min(found), max(found)) if found else (0.0, 0.0)
