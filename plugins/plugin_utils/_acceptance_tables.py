# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of an acceptance page and of its Markdown form, as plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import statistics
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds

Document = t.Mapping[str, t.Any]
Check = t.Mapping[str, t.Any]
Table = dict[str, t.Any]

VERDICTS = ("pass", "warn", "not_verified", "fail")

#: Of a node's values the least counts where one bad pair is hidden by a median.
LEAST = ("p2p", "rdma_write_bw")

#: How many places one finding names before it only counts them.
NAMED = 12


def findings(checks: t.Iterable[Check], verdicts: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """Return what has one of the verdicts, the worst first; what was seen at several places under one heading.

    Items: ``verdict``, ``name``, ``expected``, ``remedy``, ``seen`` (``where`` and ``observed``), ``more`` (places left out).
    """
    groups: dict[str, dict[str, t.Any]] = {}
    for check in sorted(checks, key=lambda one: -VERDICTS.index(one["verdict"])):
        if check["verdict"] not in verdicts:
            continue
        # A remedy that names the node is the same remedy.
        remedy = str(check["remedy"] or "").replace(check["node"] or "\0", "the node")
        key = json.dumps([check["verdict"], check["name"], text(check["expected"]), remedy])
        group = groups.setdefault(
            key,
            {key: check[key] for key in ("verdict", "name", "expected", "remedy")} | {"seen": [], "more": 0},
        )
        if group["seen"]:
            group["remedy"] = remedy
        if len(group["seen"]) < NAMED:
            group["seen"].append({"where": check["node"] or "fleet", "observed": text(check["observed"])})
        else:
            group["more"] += 1
    for group in groups.values():
        group["expected"] = text(group["expected"])
    return list(groups.values())


def overview(document: Document) -> Table:
    """Return one row per node: verdict, driver, and for each kind its median (of pairs the least, of degrees the most)."""
    columns = _columns(document["headline"])
    rows = []
    for name, facts in document["fleet"].items():
        mine = [one for one in document["measurements"] if name in (one["node"], one["peer"])]
        gpu = f"{facts.get('gpus') or '?'} × {facts['gpu']}" if facts.get("gpu") else ""
        rows.append(
            {
                "node": name,
                "verdict": document["nodes"][name]["verdict"],
                "facts": [gpu, str(facts.get("driver") or "")],
                "cells": [_overview_cell(column, mine) for column in columns],
            }
        )
    return {"columns": [f"{one['label']}, {_unit(one['unit'])}" for one in columns], "rows": rows}


def comparison(compared: t.Mapping[str, t.Any]) -> Table:
    """Return the comparison with the last run in words."""
    rows = [
        {
            "verdict": row["verdict"],
            "label": row["label"],
            "before": kinds.with_unit(row["before"], row["unit"]),
            "now": kinds.with_unit(row["now"], row["unit"]),
            "change": row["text"],
            "places": [
                f"{one['place']}: {kinds.number(one['before'])} to {kinds.with_unit(one['now'], row['unit'])}"
                for one in row["places"][:NAMED]
            ],
            "more": max(0, len(row["places"]) - NAMED),
        }
        for row in compared["rows"]
    ]
    return {"with": compared["with"], "changes": compared["changes"], "missing": compared["missing"], "rows": rows}


def history(document: Document) -> Table:
    """Return the runs of this fleet and tier, this one first: verdict and medians of each kind."""
    columns = _columns(document["headline"])
    rows = []
    for run in [document, *document["history"]]:
        medians = {_key(one): one for one in run.get("headline") or []}
        cells = [kinds.number(medians[_key(one)]["median"]) if _key(one) in medians else "–" for one in columns]
        rows.append({"started": run["started"], "verdict": run["verdict"], "cells": cells})
    return {"columns": [f"{one['label']}, {_unit(one['unit'])}" for one in columns], "rows": rows}


def statements(document: Document, name: str) -> list[dict[str, t.Any]]:
    """Return a node's checks that have no drawing: throttling, wrong results, and whatever has no value."""
    drawn = {
        json.dumps([one["node"], one["kind"], one["subject"]])
        for one in document["measurements"]
        if kinds.value(one) is not None and kinds.kind_of(one).better
    }
    found = []
    for one, check in zip(document["measurements"], document["checks"], strict=False):
        if one["node"] == name and json.dumps([name, one["kind"], one["subject"]]) not in drawn:
            found.append({"place": kinds.place(one), "tool": one["tool"], **_check_row(check)})
    return found


def checks(every: t.Iterable[Check]) -> list[dict[str, t.Any]]:
    """Return every check as texts, in the order in which they were made."""
    return [_check_row(check) for check in every]


def method(measurements: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return how each kind was measured: tools, one command of each, and how long all of it took."""
    found: dict[tuple[str, str], dict[str, t.Any]] = {}
    for one in measurements:
        row = found.setdefault(
            (one["kind"], one["tool"]),
            {
                "kind": kinds.kind_of(one).title,
                "tool": one["tool"],
                "command": one["command"],
                "values": 0,
                "seconds": 0.0,
            },
        )
        row["values"] += kinds.value(one) is not None
        row["seconds"] = max(row["seconds"], float(one["seconds"] or 0))
    return list(found.values())


def text(value: t.Any) -> str:
    """Return a value of a check as one line."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return " ".join("".join(char if char.isprintable() or char.isspace() else "?" for char in str(value)).split())


def _check_row(check: Check) -> dict[str, t.Any]:
    return {
        "where": check["node"] or "fleet",
        "verdict": check["verdict"],
        "name": text(check["name"]),
        "observed": text(check["observed"]),
        "expected": text(check["expected"]),
        "source": text(check["source"]),
    }


def _columns(headline: t.Iterable[t.Mapping[str, t.Any]]) -> list[t.Mapping[str, t.Any]]:
    """Return one group per kind: the first is the one that most of the others are derived from."""
    found: dict[str, t.Mapping[str, t.Any]] = {}
    for one in headline:
        found.setdefault(one["kind"], one)
    return list(found.values())


def _overview_cell(column: t.Mapping[str, t.Any], mine: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    same = [one for one in mine if one["kind"] == column["kind"] and kinds.parameters(one) == column["parameters"]]
    values = [float(one["value"]) for one in same if kinds.value(one) is not None]
    if not values:
        return {"text": "–", "verdict": "not_verified"}
    kind = kinds.KINDS[column["kind"]]
    pick = min if column["kind"] in LEAST else max if kind.better == "lower" else statistics.median
    verdict = max((one["verdict"] for one in same), key=VERDICTS.index)
    return {"text": kinds.number(pick(values)), "verdict": verdict}


def _key(group: t.Mapping[str, t.Any]) -> str:
    return json.dumps([group["kind"], group["parameters"], group["gpu"]], sort_keys=True)


def _unit(unit: str) -> str:
    return "°C" if unit == "degC" else unit
