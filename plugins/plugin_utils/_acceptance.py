# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the measurements of a burn-in to one judged document: acceptance.json as plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
The JSON form is public: docs/acceptance.md describes it, ``schema`` changes when a field changes its meaning.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_compare as compare
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_statements as statements
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import Measurement

SCHEMA = 1

#: From best to worst, as in module_utils/_verdict.py (a test compares them; controller code imports no module_utils).
VERDICTS = ("pass", "warn", "not_verified", "fail")

Document = dict[str, t.Any]
Check = dict[str, t.Any]
Fleet = t.Mapping[str, t.Any]
#: ``judge(measurement, fleet, baseline)`` of ``_acceptance_thresholds``.
Judge = t.Callable[[dict[str, t.Any], Fleet, t.Mapping[str, t.Any]], Check]

#: ``limit(measurement, fleet, baseline)``: the floor (or ceiling) that it was judged by, or None where there is none.
Limit = t.Callable[[dict[str, t.Any], Fleet, t.Mapping[str, t.Any]], "float | None"]

#: What a run must carry (contract 3).
RUN_FIELDS = ("schema", "tier", "started", "fleet", "measurements")
MEASUREMENT_FIELDS = ("node", "kind", "subject", "value", "unit")


def mistakes(run: t.Mapping[str, t.Any]) -> list[str]:
    """Return what is wrong with the form of a run, as sentences."""
    absent = [field for field in RUN_FIELDS if field not in run]
    if absent:
        return [f"The run has no {', '.join(absent)}."]
    if run["schema"] != SCHEMA:
        return [f"The run has schema {run['schema']}; this release reads schema {SCHEMA}."]
    try:
        kinds.moment(run["started"])
    except ValueError:
        return [f"The run started at {run['started']!r}, which is no ISO 8601 time."]
    found = []
    for place, one in enumerate(run["measurements"]):
        absent = [field for field in MEASUREMENT_FIELDS if field not in one]
        if absent:
            found.append(f"Measurement {place} has no {', '.join(absent)}.")
        elif one["node"] not in run["fleet"]:
            found.append(f"Measurement {place} is of {one['node']}, which is not in the fleet.")
    return found


def build(
    run: t.Mapping[str, t.Any],
    judge: Judge,
    limit: Limit,
    baseline: t.Mapping[str, t.Any] | None = None,
    previous: t.Mapping[str, t.Any] | None = None,
    history: t.Sequence[t.Mapping[str, t.Any]] = (),
    notes: t.Sequence[str] = (),
) -> Document:
    """Return the document of a run: judged, compared, summed up. Raises ValueError for a run in another form.

    ``previous``: the document of the last run of the same fleet and tier; ``history``: headlines of older ones, newest
    first; ``notes``: what went wrong when they were read. Every number is one of the run, or a median of such.
    """
    if wrong := mistakes(run):
        raise ValueError(" ".join(wrong))
    fleet = {name: dict(facts or {}) for name, facts in run["fleet"].items()}
    measurements = [_complete(one) for one in run["measurements"]]
    checks = [{**_where(one), **judge(one, fleet, baseline or {})} for one in measurements]
    for one, check in zip(measurements, checks, strict=True):
        one |= {"verdict": check["verdict"], "floor": limit(one, fleet, baseline or {})}
    groups = compare.groups(measurements, fleet)
    checks += unlooked(measurements, fleet)
    # What a part of the burn-in has judged itself, such as which link explains the slow pairs.
    checks += [_told(one) for one in run.get("checks", [])]
    checks += compare.outliers(groups)
    compared = compare.comparison(measurements, previous, fleet) if previous else {}
    checks += compared.pop("checks", [])
    counts = {verdict: sum(check["verdict"] == verdict for check in checks) for verdict in VERDICTS}
    return {
        "schema": SCHEMA,
        "tier": run["tier"],
        "started": run["started"],
        "verdict": worst(check["verdict"] for check in checks),
        "counts": counts,
        "fleet": fleet,
        "nodes": {name: _node(name, checks) for name in fleet},
        "headline": [{key: row[key] for key in row if key != "members"} for row in groups],
        "comparison": compared,
        "history": [dict(one) for one in history],
        "notes": list(notes),
        "baseline": {key: (baseline or {}).get(key, "") for key in ("captured", "tier", "source")} if baseline else {},
        "measurements": measurements,
        "checks": checks,
        "statements": statements.statements(checks),
    }


def unlooked(measurements: t.Iterable[Measurement], fleet: Fleet) -> list[Check]:
    """Return a check for everything that a full run measures and this one did not: per node, and over all nodes.

    A node with a ``problem`` in the fleet gave nothing; the problem is the reason. One node alone has no fabric to test.
    """
    seen: dict[str, set[str]] = {name: set() for name in fleet}
    for one in measurements:
        for name in (one["node"], one.get("peer")):
            seen.setdefault(name or one["node"], set()).add(one["kind"])
    checks = []
    for name, facts in fleet.items():
        problem = facts.get("problem")
        if problem or not seen[name]:
            why = problem or "no measurement came from this node"
            remedy = f"Look at {name}: can it be reached, and does the burn-in's container start there?"
            checks.append(_not_verified(name, "", "burn-in of the node", why, remedy))
            continue
        scopes = ("gpu", "node", "pair") if len(fleet) > 1 else ("gpu", "node")
        checks += [
            _not_measured(name, kind)
            for kind, meaning in kinds.KINDS.items()
            if meaning.scope in scopes and kind not in seen[name] and facts.get("gpus", meaning.gpus) >= meaning.gpus
        ]
    if len(fleet) > 1:
        done = set().union(*seen.values())
        checks += [
            _not_measured("", kind) for kind, one in kinds.KINDS.items() if one.scope == "fleet" and kind not in done
        ]
    return checks


def worst(verdicts: t.Iterable[str]) -> str:
    """Return the worst verdict; nothing proved is ``not_verified``. Raises ValueError for an unknown one."""
    ranks = [VERDICTS.index(one) for one in verdicts]
    return VERDICTS[max(ranks)] if ranks else "not_verified"


def of_node(checks: t.Iterable[Check], name: str) -> list[Check]:
    """Return the checks of a node; those of the fleet have an empty name."""
    return [check for check in checks if check["node"] == name]


def _node(name: str, checks: list[Check]) -> dict[str, t.Any]:
    mine = [check["verdict"] for check in of_node(checks, name)]
    return {"verdict": worst(mine), "counts": {verdict: mine.count(verdict) for verdict in VERDICTS}}


def _where(one: Measurement) -> dict[str, t.Any]:
    """Return what a check says about where it was made; ``title`` joins what is the same statement at several places."""
    place = {key: one[key] for key in ("node", "peer", "kind", "subject", "unit")} | {"value": kinds.value(one)}
    return {**place, "title": kinds.label(one), "origin": "threshold"}


def _complete(one: Measurement) -> dict[str, t.Any]:
    """Return a measurement with all fields of contract 3, so that readers need not ask."""
    empty: dict[str, t.Any] = {
        "peer": "",
        "parameters": {},
        "series": [],
        "samples": [],
        "tool": "",
        "command": "",
        "seconds": None,
        "problem": "",
    }
    return {**empty, **one}


def _told(check: Check) -> Check:
    empty = {"node": "", "peer": "", "kind": "", "subject": "", "title": check["name"], "origin": "burn-in"}
    return {**empty, "expected": None, "remedy": "", "source": "", **check}


def _not_measured(node: str, kind: str) -> Check:
    remedy = "Run the burn-in without tags; if it was, its output names the step that was left out."
    return _not_verified(node, kind, kinds.KINDS[kind].title, "not measured in this run", remedy)


def _not_verified(node: str, kind: str, name: str, why: str, remedy: str) -> Check:
    return {
        "node": node,
        "peer": "",
        "kind": kind,
        "subject": "",
        "title": name,
        "origin": "coverage",
        "name": name,
        "verdict": "not_verified",
        "observed": why,
        "expected": None,
        "remedy": remedy,
        "source": "burn-in",
    }
