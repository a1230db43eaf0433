# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node's measurements in a few lines, for the terminal.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds


def lines(measurements: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return one line per comparable figure, ``GEMM bf16 8192: 785 TFLOP/s, 779 to 791 (8)``, then one per problem."""
    groups: dict[str, list[t.Mapping[str, t.Any]]] = {}
    for one in measurements:
        if kinds.value(one) is not None:
            groups.setdefault(kinds.label(one), []).append(one)
    found = [_line(title, members) for title, members in groups.items()]
    problems: dict[str, list[str]] = {}
    for one in measurements:
        if kinds.value(one) is None:
            problems.setdefault(f"{kinds.label(one)}: {one['problem']}", []).append(str(one["subject"]))
    return found + [" ".join([text, *_where(where)]) for text, where in problems.items()]


def _where(subjects: t.Sequence[str]) -> list[str]:
    named = ", ".join(filter(None, subjects))
    return [f"({named})"] if named else []


def _line(title: str, members: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    values = [value for value in map(kinds.value, members) if value is not None]
    unit = str(members[0]["unit"])
    text = f"{title}: {kinds.with_unit(kinds.median(values), unit)}"
    if len(values) > 1:
        text += f", {kinds.number(min(values))} to {kinds.number(max(values))} ({len(values)})"
    return text
