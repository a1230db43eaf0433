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
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_statements import (
    NAMED,
    text,
    together,
    without_echoes,
)

Document = t.Mapping[str, t.Any]
Check = t.Mapping[str, t.Any]
Table = dict[str, t.Any]

VERDICTS = ("pass", "warn", "not_verified", "fail")

#: Of a node's values the least counts where one bad pair is hidden by a median.
LEAST = ("p2p", "rdma_write_bw")


def findings(checks: t.Sequence[Check], verdicts: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """Return what has one of the verdicts, the worst first; the same statement about several places under one heading.

    Items: ``verdict``, ``name``, ``expected``, ``remedy``, ``seen`` (``where`` and ``observed``), ``more`` (places left out).
    What misses its threshold is not told again as behind the fleet or the last run; acceptance.json has all.
    """
    groups: dict[str, dict[str, t.Any]] = {}
    for check in sorted(without_echoes(checks), key=lambda one: -VERDICTS.index(one["verdict"])):
        if check["verdict"] not in verdicts:
            continue
        # A remedy that names its node is the same remedy elsewhere.
        remedy = text(check["remedy"]).replace(check["node"] or "\0", "the node")
        name = check["title"] if check["origin"] == "threshold" else check["name"]
        key = json.dumps([check["verdict"], name, text(check["expected"]), remedy])
        one = groups.setdefault(key, {"verdict": check["verdict"], "name": text(name), "remedies": {}, "places": {}})
        one["expected"] = text(check["expected"])
        one["remedies"][text(check["remedy"])] = remedy
        where = f"{check['node']} to {check['peer']}" if check["peer"] else check["node"] or "fleet"
        # The place says already which peer.
        one["places"].setdefault(where, []).append({**check, "peer": ""})
    return [_finding(one) for one in groups.values()]


def _finding(group: dict[str, t.Any]) -> dict[str, t.Any]:
    named = list(group["places"].items())[:NAMED]
    remedies = group["remedies"]
    return {
        "verdict": group["verdict"],
        "name": group["name"],
        "expected": group["expected"],
        "remedy": next(iter(remedies if len(remedies) == 1 else remedies.values())),
        "seen": [{"where": where, "observed": together(many)} for where, many in named],
        "more": len(group["places"]) - len(named),
    }


def overview(document: Document) -> Table:
    """Return one row per node: verdict, driver, and for each kind its median (of pairs the least, of degrees the most)."""
    columns = [one for one in _columns(document["headline"]) if kinds.KINDS[one["kind"]].scope != "fleet"]
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
    return {"columns": _heads(columns), "rows": rows}


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
    return {"columns": _heads(columns), "rows": rows}


def undrawn(document: Document, name: str) -> list[dict[str, t.Any]]:
    """Return a node's checks that have no drawing: throttling, wrong results, and whatever has no value.

    GPUs of which the same was seen share a row. Items: ``verdict``, ``name``, ``where``, ``observed``, ``expected``.
    """
    drawn = {
        _place(one) for one in document["measurements"] if kinds.value(one) is not None and kinds.kind_of(one).better
    }
    rows: dict[str, dict[str, t.Any]] = {}
    for check in document["checks"]:
        if check["node"] != name or check["origin"] != "threshold" or _place(check) in drawn:
            continue
        row = {"verdict": check["verdict"], "name": check["title"]}
        row |= {key: text(check[key]) for key in ("observed", "expected")}
        found = rows.setdefault(json.dumps(row, sort_keys=True), {**row, "subjects": []})
        found["subjects"].append(check["subject"])
    return [{**row, "where": ", ".join(row["subjects"])} for row in rows.values()]


def _place(one: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    return (one["node"], one["peer"], one["kind"], one["subject"])


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
                "figures": 0,
                "seconds": 0.0,
            },
        )
        row["figures"] += kinds.value(one) is not None
        row["seconds"] = max(row["seconds"], float(one["seconds"] or 0))
    return list(found.values())


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


def _heads(columns: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, str]]:
    """Return ``title`` (short), ``unit`` and ``label`` (with sizes and algorithm) of each column."""
    return [
        {
            "title": " ".join(
                [kinds.KINDS[one["kind"]].title, *([one["parameters"].get("dtype", "")] * (one["kind"] == "gemm"))]
            ),
            "unit": "°C" if one["unit"] == "degC" else one["unit"],
            "label": one["label"],
        }
        for one in columns
    ]


def _key(group: t.Mapping[str, t.Any]) -> str:
    return json.dumps([group["kind"], group["parameters"], group["gpu"]], sort_keys=True)
