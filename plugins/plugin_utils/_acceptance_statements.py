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


def statements(checks: t.Iterable[Check]) -> list[dict[str, t.Any]]:
    """Return the checks of a document, joined per node and title: ``node`` and the fields of a check.

    The worst verdict counts, and what is named is what has it. A statement keeps the wish and the remedy of the first of
    those.
    """
    groups: dict[tuple[str, ...], list[Check]] = {}
    for check in without_echoes(list(checks)):
        name = check["title"] if check["origin"] == "threshold" else check["name"]
        groups.setdefault((check["node"], name, check["origin"]), []).append(check)
    return [_statement(node, name, members) for (node, name, _origin), members in groups.items()]


def without_echoes(checks: t.Sequence[Check]) -> list[Check]:
    """Return the checks but for those that say less of what misses its threshold: behind the fleet, behind the last run."""
    told: dict[tuple[str, str], int] = {}
    for check in checks:
        if check["origin"] == "threshold":
            place = (check["node"], check["title"])
            told[place] = max(told.get(place, 0), VERDICTS.index(check["verdict"]))
    return [
        check
        for check in checks
        if check["origin"] not in ("fleet", "last run")
        or check["verdict"] not in ("warn", "fail")
        or told.get((check["node"], check["title"]), 0) != VERDICTS.index("fail")
    ]


def _statement(node: str, name: str, checks: list[Check]) -> dict[str, t.Any]:
    verdict = max((check["verdict"] for check in checks), key=VERDICTS.index)
    shown = [check for check in checks if check["verdict"] == verdict]
    seen = spread(shown) if verdict == "pass" else together(shown)
    if len(shown) < len(checks):
        seen = f"{len(shown)} of {len(checks)}: {seen}"
    return {
        "node": node,
        "name": text(name),
        "verdict": verdict,
        "observed": seen or together(shown),
        "expected": shown[0]["expected"],
        "remedy": text(shown[0]["remedy"]),
        "source": text(shown[0]["source"]),
    }


def together(checks: t.Sequence[Check]) -> str:
    """Join what was seen: equal words once, with all their subjects; a long list is cut.

    Figures that were not verified for one and the same reason, which follows the figure, are told by their spread.
    """
    reasons = {text(check["observed"]).partition("; ")[2] for check in checks}
    figures = spread(checks)
    if figures and len(reasons) == 1 and reasons != {""}:
        return f"{figures}; {reasons.pop()}"
    subjects: dict[str, list[str]] = {}
    for check in checks:
        ends = f"to {check['peer']} {check['subject']}" if check["peer"] else check["subject"]
        subjects.setdefault(text(check["observed"]), []).append(text(ends))
    parts = [": ".join(filter(None, (", ".join(filter(None, many)), said))) for said, many in subjects.items()]
    left_out = len(parts) - NAMED
    return "; ".join(parts[:NAMED]) + (f"; and {left_out} more" if left_out > 0 else "")


def spread(checks: t.Sequence[Check]) -> str:
    """Return two or more figures as their number and range, or nothing where not all of them are figures."""
    values = [float(one["value"]) for one in checks if one.get("value") is not None and kinds.kind_of(one).better]
    if len(values) < max(2, len(checks)):
        return ""
    return f"{len(values)} values, {kinds.number(min(values))} to {kinds.with_unit(max(values), checks[0]['unit'])}"


def text(value: t.Any) -> str:
    """Return a value of a check as one line."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return " ".join("".join(char if char.isprintable() or char.isspace() else "?" for char in str(value)).split())
