# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare load tests: with the last one of the same sweep (the regression gate), and the deployments of one run.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import with_unit
from ansible_collections.gpufleet.inference.plugins.plugin_utils._load_kinds import Point

Rows = list[dict[str, t.Any]]

#: What two deployments are compared by.
VERSUS = ("output_tokens_per_second", "ttft_p50_ms", "ttft_p99_ms", "tpot_p50_ms", "e2el_p99_ms")

REMEDY = (
    "Measure again on a quiet host. If it stays: what changed since (image, options, driver, neighbours)?"
    " If it is wanted, the next run compares with this one."
)


def comparison(
    points: t.Sequence[Point],
    targets: t.Mapping[str, t.Mapping[str, t.Any]],
    before: t.Mapping[str, t.Any],
    metrics: t.Sequence[str],
    share: float,
) -> dict[str, t.Any]:
    """Compare with an earlier document of the same sweep.

    Returns ``with`` (when that run started), ``changes`` (sentences on what differs of the targets), ``rows`` (``target``,
    ``point``, ``metric``, ``before``, ``now``, ``change``, ``verdict``) and ``missing`` (points that had figures then and have none
    now). What became worse by more than ``share`` fails: who compares runs has a gate. A share of 0 compares without judging.
    """
    then = {kinds.key(one): one for one in before["points"] if one["completed"]}
    rows: Rows = []
    for point in points:
        old = then.get(kinds.key(point))
        for metric in metrics if old is not None else ():
            now, was = kinds.value(point, metric), kinds.value(old, metric) if old else None
            if now is not None and was:
                worse = kinds.worse_by(metric, now, was)
                rows.append(
                    {
                        "target": point["target"],
                        "point": f"{point['mix']}, {kinds.load_text(point)}",
                        "metric": metric,
                        "title": kinds.METRICS[metric].title,
                        "unit": kinds.METRICS[metric].unit,
                        "before": was,
                        "now": now,
                        "worse": round(worse, 6),
                        "change": change(metric, worse),
                        "verdict": "fail" if share and worse > share else "pass",
                    }
                )
    measured = {kinds.key(one) for one in points if one["completed"]}
    shared = {str(one["target"]) for one in points}
    return {
        "with": before["started"],
        "changes": _changes(before["fleet"], targets),
        "rows": rows,
        "missing": [
            f"{name}: {mix}, {load:g} ({loop} loop)"
            for name, mix, loop, load in sorted(set(then) - measured)
            if name in shared
        ],
    }


def gate(compared: t.Mapping[str, t.Any], share: float) -> list[dict[str, t.Any]]:
    """Return one check per target and metric of a comparison, with the points that became worse."""
    groups: dict[tuple[str, str], Rows] = {}
    for row in compared["rows"]:
        groups.setdefault((row["target"], row["metric"]), []).append(row)
    return [_checked(target, rows, compared["with"], share) for (target, _metric), rows in groups.items()]


def versus(points: t.Sequence[Point]) -> Rows:
    """Compare every other target with the first one under equal loads.

    Rows: ``point``, ``metric``, ``unit``, ``values``: {target: figure or None}, ``changes``: {target: words against the first}.
    """
    names = list(dict.fromkeys(str(one["target"]) for one in points))
    if len(names) < 2:
        return []
    by_load: dict[tuple[str, str, float], dict[str, Point]] = {}
    for one in points:
        by_load.setdefault(kinds.key(one)[1:], {})[str(one["target"])] = one
    rows: Rows = []
    for members in by_load.values():
        for metric in VERSUS:
            values = {name: kinds.value(members[name], metric) if name in members else None for name in names}
            first = values[names[0]]
            rows.append(
                {
                    "point": _place(next(iter(members.values()))),
                    "metric": metric,
                    "title": kinds.METRICS[metric].title,
                    "unit": kinds.METRICS[metric].unit,
                    "values": values,
                    "changes": {
                        name: change(metric, kinds.worse_by(metric, value, first))
                        if value is not None and first
                        else ""
                        for name, value in list(values.items())[1:]
                    },
                }
            )
    return rows


def change(metric: str, worse: float) -> str:
    """Return ``worse_by`` as words: ``7.1 % less``, ``26 % more``, ``unchanged``."""
    if abs(worse) < 0.0005:
        return "unchanged"
    word = "more" if (worse > 0) == (kinds.METRICS[metric].better == "lower") else "less"
    return f"{abs(worse) * 100:.1f} % {word}"


def _place(point: Point) -> str:
    return f"{point['mix']}, {kinds.load_text(point)}"


def _changes(before: t.Mapping[str, t.Any], now: t.Mapping[str, t.Any]) -> list[str]:
    found = []
    for name, facts in now.items():
        old = before.get(name)
        for fact in sorted(facts) if old is not None else ():
            if old is not None and old.get(fact) != facts[fact]:
                found.append(f"{name}: {fact} {old.get(fact)}, now {facts[fact]}")
    return found


def _checked(target: str, rows: Rows, when: str, share: float) -> dict[str, t.Any]:
    worse = sorted((row for row in rows if row["verdict"] == "fail"), key=lambda row: -row["worse"])
    shown = worse or [max(rows, key=lambda row: float(row["worse"]))]
    seen = "; ".join(
        f"{row['point']}: {with_unit(row['now'], row['unit'])}, {row['change']} than {with_unit(row['before'], row['unit'])}"
        for row in shown[:3]
    )
    left_out = len(worse) - 3
    return {
        "node": target,
        "peer": "",
        "kind": "load",
        "subject": "",
        "title": f"{rows[0]['title']} against the last run",
        "origin": "last run",
        "name": f"{rows[0]['title']} against the last run",
        "verdict": "fail" if worse else "pass",
        "observed": seen + (f"; and {left_out} more" if left_out > 0 else ""),
        "expected": f"at most {share * 100:g} % worse" if share else "nothing, load_test_regression_share is 0",
        "remedy": REMEDY if worse else "",
        "source": f"the run of {when}",
        "value": None,
        "unit": "",
    }
