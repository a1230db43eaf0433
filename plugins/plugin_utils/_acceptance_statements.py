# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From one check per value to one statement per node and kind of figure: 56 pairs of GPUs become one line.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds

Check = t.Mapping[str, t.Any]

VERDICTS = ("pass", "warn", "not_verified", "fail")

#: How many places one statement names before it only counts them.
NAMED = 6


def statements(checks: t.Iterable[Check], measurements: t.Sequence[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return the checks of a document, joined per node and title: ``node`` and the fields of a check.

    The worst verdict counts, and what is named is what has it. A statement keeps the wish and the remedy of the first of
    those. Checks of measurements come first and in their order (``_acceptance.build``), so their values are known.
    """
    groups: dict[tuple[str, ...], list[tuple[Check, t.Mapping[str, t.Any] | None]]] = {}
    for place, check in enumerate(checks):
        measured = measurements[place] if check["origin"] == "threshold" else None
        key = (check["node"], check["title"] if measured else check["name"], check["origin"])
        groups.setdefault(key, []).append((check, measured))
    return [_statement(node, name, pairs) for (node, name, _origin), pairs in groups.items()]


def _statement(node: str, name: str, pairs: list[tuple[Check, t.Mapping[str, t.Any] | None]]) -> dict[str, t.Any]:
    verdict = max((check["verdict"] for check, _measured in pairs), key=VERDICTS.index)
    shown = [check for check, _measured in pairs if check["verdict"] == verdict]
    seen = _spread([measured for _check, measured in pairs if measured]) if verdict == "pass" else ""
    if not seen:
        seen = together(shown)
        seen = f"{len(shown)} of {len(pairs)}: {seen}" if len(pairs) > 1 and verdict != "pass" else seen
    return {
        "node": node,
        "name": text(name),
        "verdict": verdict,
        "observed": seen,
        "expected": shown[0]["expected"],
        "remedy": text(shown[0]["remedy"]),
        "source": text(shown[0]["source"]),
    }


def together(checks: t.Iterable[Check]) -> str:
    """Join what was seen: equal words once, with all their subjects; a long list is cut."""
    subjects: dict[str, list[str]] = {}
    for check in checks:
        ends = f"to {check['peer']} {check['subject']}" if check["peer"] else check["subject"]
        subjects.setdefault(text(check["observed"]), []).append(text(ends))
    parts = [": ".join(filter(None, (", ".join(filter(None, many)), said))) for said, many in subjects.items()]
    left_out = len(parts) - NAMED
    return "; ".join(parts[:NAMED]) + (f"; and {left_out} more" if left_out > 0 else "")


def text(value: t.Any) -> str:
    """Return a value of a check as one line."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return " ".join("".join(char if char.isprintable() or char.isspace() else "?" for char in str(value)).split())


def _spread(measured: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    values = [float(one["value"]) for one in measured if kinds.value(one) is not None and kinds.kind_of(one).better]
    if len(values) < 2:
        return ""
    return f"{len(values)} values, {kinds.number(min(values))} to {kinds.with_unit(max(values), measured[0]['unit'])}"
