# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bars and ranges, one row per GPU or node, as plain data: the template only writes them down.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Every drawing, here and in the files beside, has ``shape`` (which macro writes it), ``title``, ``alt`` (what a reader who
cannot see it must know), ``width`` and ``height`` in pixels, and marks; each mark has ``tip``, its place and value in words.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_scales as scales
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import number, with_unit

WIDTH = 620
#: Room for the names at the left, and for the figures at the right.
LEFT, RIGHT = 130, 110
ROW, TOP = 24, 8

Drawing = dict[str, t.Any]
Row = t.Mapping[str, t.Any]


def bars(title: str, unit: str, rows: t.Sequence[Row]) -> Drawing:
    """Draw one bar per row from zero. Rows: ``label``, ``value`` (None: not measured), ``floor`` (or None), ``verdict``."""
    values = [float(row["value"]) for row in rows if row["value"] is not None]
    marks = scales.ticks(0, max(values + [float(row["floor"]) for row in rows if row["floor"]]))
    scale = scales.Scale(0, marks[-1], LEFT, WIDTH - RIGHT)
    drawn = []
    for place, row in enumerate(rows):
        text = "not measured" if row["value"] is None else with_unit(row["value"], unit)
        drawn.append(
            {
                "label": short(row["label"]),
                "y": TOP + place * ROW,
                "width": round(scale.at(row["value"] or 0) - LEFT, 1),
                "floor": scale.at(row["floor"]) if row["floor"] else None,
                "text": text,
                "verdict": row["verdict"],
                "tip": _tip(f"{row['label']}: {text}", row["floor"], unit),
            }
        )
    low, high = scales.extent(values)
    alt = f"{len(values)} of {len(rows)} values, from {with_unit(low, unit)} to {with_unit(high, unit)}."
    return {
        "shape": "bars",
        "title": title,
        "alt": alt + _floor_text(rows, unit),
        "width": WIDTH,
        "height": TOP + len(rows) * ROW + 26,
        "left": LEFT,
        "bottom": TOP + len(rows) * ROW,
        "ticks": [{"x": scale.at(one), "text": number(one)} for one in marks],
        "rows": drawn,
    }


def ranges(title: str, unit: str, rows: t.Sequence[Row]) -> Drawing:
    """Draw the spread of readings per row. Rows: ``label``, ``low``, ``middle``, ``high``, ``verdict``."""
    low, high = min(float(row["low"]) for row in rows), max(float(row["high"]) for row in rows)
    marks = scales.ticks(low - 2, high + 2)
    scale = scales.Scale(marks[0], marks[-1], LEFT, WIDTH - RIGHT)
    drawn = [
        {
            "label": short(row["label"]),
            "y": TOP + place * ROW,
            "low": scale.at(row["low"]),
            "middle": scale.at(row["middle"]),
            "high": scale.at(row["high"]),
            "text": f"{number(row['low'])} – {with_unit(row['high'], unit)}"
            if row["low"] != row["high"]
            else with_unit(row["high"], unit),
            "verdict": row["verdict"],
            "tip": f"{row['label']}: {number(row['low'])} to {with_unit(row['high'], unit)},"
            f" median {with_unit(row['middle'], unit)}",
        }
        for place, row in enumerate(rows)
    ]
    apart = max(float(row["high"]) for row in rows) - min(float(row["high"]) for row in rows)
    return {
        "shape": "ranges",
        "title": title,
        "alt": f"{len(rows)} ranges from {number(low)} to {with_unit(high, unit)};"
        f" the highest readings are {with_unit(apart, unit)} apart.",
        "width": WIDTH,
        "height": TOP + len(rows) * ROW + 26,
        "left": LEFT,
        "bottom": TOP + len(rows) * ROW,
        "ticks": [{"x": scale.at(one), "text": number(one)} for one in marks],
        "rows": drawn,
    }


def _tip(text: str, floor: float | None, unit: str) -> str:
    return f"{text}, floor {with_unit(floor, unit)}" if floor else text


def _floor_text(rows: t.Sequence[Row], unit: str) -> str:
    floors = sorted({float(row["floor"]) for row in rows if row["floor"]})
    below = [row["label"] for row in rows if row["verdict"] == "fail"]
    if not floors:
        return " There is no published floor."
    text = f" The floor is {' or '.join(with_unit(one, unit) for one in floors)}."
    return text + (f" Failed: {', '.join(below)}." if below else "")


def short(text: str, most: int = 18) -> str:
    """Shorten a name to what has room; the whole of it stands in the mark's tip."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
