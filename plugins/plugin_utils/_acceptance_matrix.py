# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A value per pair as a heat map, as plain data: the template only writes it down. Fields: see ``_acceptance_bars``.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_scales as scales
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_bars import WIDTH, Drawing, Row, short
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import number, with_unit

#: More rows or columns than this and a matrix has no numbers; more than MOST and it is not drawn.
WITH_NUMBERS, MOST = 20, 64

#: The width of a letter of the labels.
LETTER = 6.4


def matrix(
    title: str,
    unit: str,
    rows: t.Sequence[str],
    columns: t.Sequence[str],
    cells: t.Mapping[tuple[str, str], Row],
    better: str = "higher",
) -> Drawing:
    """Draw a value per pair. Cells, by (row, column): ``value`` (None: could not be measured), ``verdict``, ``tip`` or none."""
    values = [float(one["value"]) for one in cells.values() if one["value"] is not None]
    low, high = scales.extent(values)
    numbers = max(len(rows), len(columns)) <= WITH_NUMBERS
    tall = 26 if numbers else 14
    left = round(16 + LETTER * max(len(short(one)) for one in rows), 1)
    wide = min(72.0, (WIDTH - left - 8) / len(columns))
    longest = LETTER * max(len(short(one)) for one in columns)
    turned = wide < longest + 6
    top = round(14 + (longest if turned else 12), 1)
    drawn = [
        {
            "x": round(left + along * wide, 1),
            "y": round(top + down * tall, 1),
            **_cell(cells[row, column], low, high, unit, numbers),
            "tip": f"{row} to {column}: {_text(cells[row, column], unit)}",
        }
        for down, row in enumerate(rows)
        for along, column in enumerate(columns)
        if (row, column) in cells
    ]
    below = round(top + len(rows) * tall, 1)
    return {
        "shape": "matrix",
        "title": title,
        "alt": _alt(cells, values, unit, better),
        "width": WIDTH,
        "height": round(below + 32),
        "cell": {"width": round(wide - 2, 1), "height": tall - 2},
        "rows": [
            {"x": left - 8, "y": round(top + (at + 0.5) * tall - 1, 1), "text": short(one)}
            for at, one in enumerate(rows)
        ],
        "columns": [
            {"x": round(left + (at + 0.5) * wide - 1, 1), "y": round(top - 8, 1), "text": short(one)}
            for at, one in enumerate(columns)
        ],
        "turned": turned,
        "cells": drawn,
        "key": {"x": left, "y": below + 8, "low": number(scales.least(low, high)), "high": with_unit(high, unit)}
        if values
        else None,
        "levels": list(range(scales.LEVELS)),
    }


def _cell(cell: Row, low: float, high: float, unit: str, numbers: bool) -> dict[str, t.Any]:
    measured = cell["value"] is not None
    return {
        "level": scales.level(float(cell["value"]), low, high) if measured else None,
        "text": (number(cell["value"]) if measured else "?") if numbers else "",
        "verdict": cell["verdict"],
    }


def _text(cell: Row, unit: str) -> str:
    return with_unit(cell["value"], unit) if cell["value"] is not None else "not measured"


def _alt(cells: t.Mapping[tuple[str, str], Row], values: list[float], unit: str, better: str) -> str:
    if not values:
        return f"None of {len(cells)} pairs could be measured."
    low, high = scales.extent(values)
    worst = high if better == "lower" else low
    row, column = next(
        pair for pair, cell in cells.items() if cell["value"] is not None and float(cell["value"]) == worst
    )
    text = (
        f"{len(values)} values from {with_unit(low, unit)} to {with_unit(high, unit)}; the worst is {row} to {column}."
    )
    blind = len(cells) - len(values)
    return text + (f" {blind} pairs could not be measured." if blind else "")
