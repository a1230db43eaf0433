# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the values of a burn-in: with each other (who falls behind the fleet's median) and with an earlier run.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

A median says nothing about a fleet that is slow as a whole: that is what thresholds are for. An earlier run is no norm, so
what became slower is ``warn``, never ``fail``.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import Measurement

#: Two values cannot tell which of them is the odd one.
LEAST_VALUES = 3

#: How many places one statement names, the worst first, before it only counts them.
NAMED = 6

#: Facts of a node whose change explains a change of speed.
NODE_FACTS = ("gpu", "gpus", "driver", "nics", "nic_gbps")

Rows = list[dict[str, t.Any]]


def groups(measurements: t.Iterable[Measurement], fleet: t.Mapping[str, t.Any]) -> Rows:
    """Return the values that may be compared, one row per kind, parameters and model of GPU.

    Rows: ``kind``, ``label``, ``parameters``, ``gpu``, ``unit``, ``count``, ``median``, ``min``, ``max``, ``members``
    (the measurements). What has no value is left out; it is told elsewhere as not verified.
    """
    found: dict[str, list[Measurement]] = {}
    for one in measurements:
        if kinds.value(one) is not None and kinds.kind_of(one).better:
            # What a pair of models reaches together is no statement about either.
            gpu = sorted({_gpu(fleet, node) for node in (one["node"], one.get("peer")) if node})
            found.setdefault(json.dumps([one["kind"], kinds.parameters(one), gpu], sort_keys=True), []).append(one)
    rows = []
    for key, members in found.items():
        values = [float(one["value"]) for one in members]
        rows.append(
            {
                "kind": members[0]["kind"],
                "label": kinds.label(members[0]),
                "parameters": kinds.parameters(members[0]),
                "gpu": ", ".join(json.loads(key)[2]),
                "unit": members[0]["unit"],
                "count": len(values),
                "median": kinds.median(values),
                "min": min(values),
                "max": max(values),
                "members": members,
            }
        )
    return sorted(rows, key=lambda row: (_order(row["kind"]), row["label"], row["gpu"]))


def outliers(rows: Rows) -> Rows:
    """Return one check per group of at least three values, or one per node that falls behind in it.

    Rows: ``node`` (empty for the fleet), ``kind`` and the fields of a check; sources of the limits: ``_acceptance_kinds``.
    """
    checks: Rows = []
    for row in rows:
        kind = kinds.KINDS[row["kind"]]
        if kind.warn is None or row["count"] < LEAST_VALUES:
            continue
        behind: dict[str, list[tuple[float, Measurement]]] = {}
        for one in row["members"]:
            worse = kinds.worse_by(kind, float(one["value"]), row["median"])
            if worse >= kind.warn:
                behind.setdefault(one["node"], []).append((worse, one))
        middle = kinds.with_unit(row["median"], row["unit"])
        if not behind:
            spread = f"{kinds.number(row['min'])} to {kinds.with_unit(row['max'], row['unit'])}"
            seen = f"{row['count']} values, {spread}, median {middle}"
            checks.append(_check("", row, "fleet", "pass", seen, ""))
        for node, found in behind.items():
            found.sort(key=lambda pair: -pair[0])
            seen = _joined(
                f"{_subject(one)} {kinds.with_unit(one['value'], row['unit'])}, {kinds.amount(kind, worse, row['unit'])}"
                for worse, one in found
            )
            # Cards that copy at once share PCIe switches and sockets, seldom evenly: no fault of the slower one.
            alone = row["parameters"].get("together", 1) == 1
            failed = alone and kind.fail is not None and found[0][0] >= kind.fail
            remedy = f"Compare {node} with a node at the median: temperature, clocks, PCIe width, cables, firmware."
            seen += f" (the median of {row['count']} values is {middle})"
            checks.append(_check(node, row, "fleet", "fail" if failed else "warn", seen, remedy))
    return checks


def comparison(now: Measurements, before: t.Mapping[str, t.Any], fleet: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Compare with an earlier document of the same fleet and tier.

    Returns ``with`` (when that run started), ``changes`` (sentences on what is different about the nodes), ``rows`` (per
    group: ``label``, ``unit``, ``before``, ``now``: medians, ``worse``: as ``worse_by``, ``text``, ``verdict``, ``places``:
    who lost more than the limit), ``missing`` (what had a value then and has none now) and ``checks``.
    """
    then = {_identity(one): one for one in before["measurements"] if kinds.value(one) is not None}
    today = {_identity(one): one for one in now if kinds.value(one) is not None}
    both = [one for key, one in today.items() if key in then]
    rows, checks = [], []
    for group in groups(both, fleet):
        kind = kinds.KINDS[group["kind"]]
        if kind.warn is None:
            continue
        old = kinds.median([float(then[_identity(one)]["value"]) for one in group["members"]])
        lost = []
        for one in group["members"]:
            was = float(then[_identity(one)]["value"])
            worse = kinds.worse_by(kind, float(one["value"]), was)
            if worse >= kind.warn:
                lost.append(
                    {
                        "node": one["node"],
                        "place": kinds.place(one),
                        "short": _subject(one),
                        "before": was,
                        "now": one["value"],
                        "worse": worse,
                    }
                )
        lost.sort(key=lambda one: -one["worse"])
        worse = kinds.worse_by(kind, group["median"], old)
        row = {key: group[key] for key in ("kind", "label", "unit", "count")} | {
            "before": old,
            "now": group["median"],
            "worse": round(worse, 6),
            "text": "unchanged" if abs(worse) < 0.0005 else kinds.amount(kind, worse, group["unit"]),
            "verdict": "warn" if lost else "pass",
            "places": lost,
        }
        rows.append(row)
        checks += [_slower(row, node) for node in dict.fromkeys(one["node"] for one in lost)]
    return {
        "with": before["started"],
        "changes": _changes(before.get("fleet") or {}, fleet),
        "rows": rows,
        "missing": sorted(f"{kinds.place(one)}: {kinds.label(one)}" for key, one in then.items() if key not in today),
        "checks": checks,
    }


Measurements = t.Iterable[Measurement]


def _slower(row: dict[str, t.Any], node: str) -> dict[str, t.Any]:
    kind = kinds.KINDS[row["kind"]]
    mine = [one for one in row["places"] if one["node"] == node]
    seen = _joined(
        f"{one['short']} {kinds.with_unit(one['now'], row['unit'])}, {kinds.amount(kind, one['worse'], row['unit'])}"
        f" than the {kinds.number(one['before'])} of then"
        for one in mine
    )
    remedy = f"Find out what changed on {node} since the last run: driver, firmware, cables, temperature, neighbours."
    return _check(node, row, "last run", "warn", seen, remedy)


def _changes(before: t.Mapping[str, t.Any], now: t.Mapping[str, t.Any]) -> list[str]:
    found = []
    for node in now:
        for fact in NODE_FACTS:
            was, is_now = (before.get(node) or {}).get(fact), (now[node] or {}).get(fact)
            if was != is_now:
                found.append(f"{node}: {fact} {_said(was)}, now {_said(is_now)}")
    return found


def _said(value: t.Any) -> str:
    return "not known" if value in (None, "") else str(value)


def _joined(parts: t.Iterable[str]) -> str:
    every = list(parts)
    left_out = len(every) - NAMED
    return "; ".join(every[:NAMED]) + (f"; and {left_out} more" if left_out > 0 else "")


def _check(
    node: str, row: t.Mapping[str, t.Any], origin: str, verdict: str, observed: str, remedy: str
) -> dict[str, t.Any]:
    # The fields of module_utils/_verdict.py, and where; controller code imports no module_utils.
    return {
        "node": node,
        "peer": "",
        "kind": row["kind"],
        "subject": "",
        "title": row["label"],
        "origin": origin,
        "name": f"{row['label']} against the {origin}",
        "verdict": verdict,
        "observed": observed,
        "expected": _limit(kinds.KINDS[row["kind"]]),
        "remedy": remedy,
        "source": "values of this run",
    }


def _limit(kind: kinds.Kind) -> str:
    bound = kind.warn or 0.0
    return f"less than {kinds.number(bound)} °C above" if kind.absolute else f"less than {bound * 100:.0f} % off"


def _subject(one: Measurement) -> str:
    return f"to {one['peer']}, {one['subject']}:" if one.get("peer") else f"{one['subject']}:"


def _identity(one: Measurement) -> str:
    return json.dumps(
        [one["node"], one.get("peer"), one["kind"], one["subject"], kinds.parameters(one)], sort_keys=True
    )


def _order(kind: str) -> int:
    return list(kinds.KINDS).index(kind)


def _gpu(fleet: t.Mapping[str, t.Any], node: str) -> str:
    return str((fleet.get(node) or {}).get("gpu") or "")
