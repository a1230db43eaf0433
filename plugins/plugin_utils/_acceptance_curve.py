# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines over message sizes, clients or milliseconds as plain data: the template only writes it down. Fields: see ``_acceptance_bars``.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_scales as scales
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_bars import WIDTH, Drawing, Row, short
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import number, size, with_unit

HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 270, 56, 44, 26, 24

#: Lines of one drawing that can be told apart by dash and mark, not by colour alone.
STYLES = 6

#: The legend: names per line of it, room for each.
ACROSS, ROOM, LINE = 3, 190, 20


@dataclasses.dataclass(frozen=True)
class Axis:
    """What lies below a curve: its name, how a value of it is written, and whether its scale is logarithmic."""

    name: str = "message size"
    many: str = "message sizes"
    text: t.Callable[[float], str] = size
    log: bool = True


def curve(title: str, unit: str, series: t.Sequence[Row], axis: Axis | None = None, dots: bool = True) -> Drawing:
    """Draw values over an axis, without another one over message sizes on a logarithmic scale.

    Series: ``name``, ``points`` ([[x, value], …], no x of 0 on a logarithmic scale), ``floor`` ([x, value] or None). A floor
    holds for one x, so it is drawn beside that alone. Without ``dots`` there is only the line: too many points to rest on.
    """
    axis = axis or Axis()
    points = [(float(x), float(y)) for one in series for x, y in one["points"]]
    floors = list(dict.fromkeys(tuple(one["floor"]) for one in series if one["floor"]))
    marks = scales.ticks(0, max([y for _x, y in points] + [y for _x, y in floors]))
    across = scales.Scale(*_ends(axis, [x for x, _y in points]), LEFT, WIDTH - RIGHT, log=axis.log)
    up = scales.Scale(0, marks[-1], HEIGHT - BOTTOM, TOP)
    lines = [_line(one, place, unit, axis, across, up, dots) for place, one in enumerate(series)]
    best, where = max((y, x) for x, y in points)
    rows = -(-len(lines) // ACROSS) if len(lines) > 1 else 0
    return {
        "shape": "curve",
        "title": title,
        "alt": f"{len(lines)} line{'s' if len(lines) > 1 else ''} over {axis.many};"
        f" the highest value is {with_unit(best, unit)} at {axis.text(where)}."
        + "".join(f" A floor is {with_unit(y, unit)} at {axis.text(x)}." for x, y in floors),
        "width": WIDTH,
        "height": HEIGHT + rows * LINE,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "bottom": HEIGHT - BOTTOM,
        "unit": unit,
        "axis": axis.name,
        "x_ticks": [{"x": across.at(one), "text": axis.text(one)} for one in _ticks(axis, across)],
        "y_ticks": [{"y": up.at(one), "text": number(one)} for one in marks],
        "floors": [
            # Large messages are fast, so nothing is drawn in the lower right corner.
            {
                "x": across.at(x),
                "y": up.at(y),
                "text": f"floor {with_unit(y, unit)} at {axis.text(x)}",
                "text_y": HEIGHT - BOTTOM - 10 - place * 16,
            }
            for place, (x, y) in enumerate(floors)
        ],
        "lines": lines,
        "legend": [
            {
                "x": LEFT + place % ACROSS * ROOM,
                "y": HEIGHT + place // ACROSS * LINE,
                "style": one["style"],
                "text": short(one["name"], 22),
            }
            for place, one in enumerate(lines)
        ]
        if rows
        else [],
    }


def _ends(axis: Axis, values: t.Sequence[float]) -> tuple[float, float]:
    low, high = scales.extent(values)
    if axis.log:
        return low, high
    marks = scales.ticks(low, high)
    return marks[0], marks[-1]


def _ticks(axis: Axis, across: scales.Scale) -> list[float]:
    return scales.powers(across.low, across.high) if axis.log else scales.ticks(across.low, across.high)


def _line(
    one: Row, place: int, unit: str, axis: Axis, across: scales.Scale, up: scales.Scale, with_dots: bool
) -> dict[str, t.Any]:
    dots = [
        {"x": across.at(float(x)), "y": up.at(float(y)), "tip": f"{one['name']}, {axis.text(x)}: {with_unit(y, unit)}"}
        for x, y in sorted(one["points"])
    ]
    return {
        "name": one["name"],
        "style": place % STYLES,
        "points": " ".join(f"{dot['x']},{dot['y']}" for dot in dots),
        "dots": dots if with_dots else [],
    }
