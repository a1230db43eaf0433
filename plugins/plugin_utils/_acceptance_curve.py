# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Speed by message size as plain data: the template only writes it down. Fields: see ``_acceptance_bars``.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_scales as scales
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_bars import WIDTH, Drawing, Row, short
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import number, size, with_unit

HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 260, 56, 44, 8, 24

#: Lines of one drawing that can be told apart by dash and mark, not by colour alone.
STYLES = 6

#: The legend: names per line of it, room for each.
ACROSS, ROOM, LINE = 3, 190, 20


def curve(
    title: str, unit: str, series: t.Sequence[Row], floor_bytes: float | None = None, floor: float | None = None
) -> Drawing:
    """Draw speed by message size, sizes on a logarithmic scale. Series: ``name``, ``points`` ([[bytes, value], …]).

    The floor holds for one size, so it is drawn beside that size alone.
    """
    points = [(float(x), float(y)) for one in series for x, y in one["points"] if float(x) > 0]
    high = max([y for _x, y in points] + ([floor] if floor else []))
    marks = scales.ticks(0, high)
    right = WIDTH - 24
    across = scales.Scale(*scales.extent(x for x, _y in points), LEFT, right, log=True)
    up = scales.Scale(0, marks[-1], HEIGHT - BOTTOM, TOP)
    lines = []
    for place, one in enumerate(series):
        dots = [
            {"x": across.at(float(x)), "y": up.at(float(y)), "tip": f"{one['name']}, {size(x)}: {with_unit(y, unit)}"}
            for x, y in sorted(one["points"])
            if float(x) > 0
        ]
        lines.append(
            {
                "name": one["name"],
                "style": place % STYLES,
                "points": " ".join(f"{dot['x']},{dot['y']}" for dot in dots),
                "dots": dots,
            }
        )
    best, where = max((y, x) for x, y in points)
    rows = -(-len(lines) // 3) if len(lines) > 1 else 0
    return {
        "shape": "curve",
        "title": title,
        "alt": f"{len(lines)} lines over message sizes; the highest value is {with_unit(best, unit)} at {size(where)}."
        + (f" The floor is {with_unit(floor, unit)} at {size(floor_bytes)}." if floor and floor_bytes else ""),
        "width": WIDTH,
        "height": HEIGHT + rows * 20,
        "left": LEFT,
        "right": right,
        "bottom": HEIGHT - BOTTOM,
        "unit": unit,
        "x_ticks": [{"x": across.at(one), "text": size(one)} for one in scales.powers(across.low, across.high)],
        "y_ticks": [{"y": up.at(one), "text": number(one)} for one in marks],
        "floor": {
            "x": across.at(floor_bytes),
            "y": up.at(floor),
            "text": f"floor {with_unit(floor, unit)} at {size(floor_bytes)}",
        }
        if floor and floor_bytes
        else None,
        "lines": lines,
        "legend": [
            {
                "x": LEFT + place % 3 * 190,
                "y": HEIGHT + place // 3 * 20,
                "style": one["style"],
                "text": short(one["name"], 22),
            }
            for place, one in enumerate(lines)
        ]
        if rows
        else [],
    }
