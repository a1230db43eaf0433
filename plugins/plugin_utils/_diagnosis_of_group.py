# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the findings of all ranks to one cause. The first error wins: a root cause before what it brought about.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Findings are those of the module ``engine_diagnosis`` (``module_utils/_diagnosis.py``).
"""

from __future__ import annotations

import typing as t

#: As in ``module_utils/_signature.py``: the best explanation first. A note alone explains nothing.
KINDS = ("root", "suspect", "symptom", "consequence", "note")

Finding = t.Mapping[str, t.Any]

NOTHING: dict[str, t.Any] = {
    "cause": "",
    "fix": "",
    "evidence": [],
    "name": "",
    "kind": "",
    "node": "",
    "rank": None,
    "also": [],
}


def diagnose(
    nodes: t.Mapping[str, t.Mapping[str, t.Any]], plan: t.Mapping[str, t.Any] | None = None
) -> dict[str, t.Any]:
    """Return {cause, fix, evidence, name, kind, node, rank, also}; ``cause`` is empty when nothing is wrong.

    ``nodes``: inventory name → result of ``engine_diagnosis`` there (``findings``, ``ranks``).
    ``plan``: an item of ``deployments`` of the filter ``deployment_plans``; with it, a rank that nobody saw is a finding,
    and a line that Ray relayed from another node is told as that node's.
    ``also`` holds the other findings, best first, as ``{name, kind, cause, fix, node, rank}``.
    """
    found = [{**one, "node": node} for node, result in nodes.items() for one in result.get("findings", [])]
    if plan:
        found = [_at_home(one, plan) for one in found] + _absent(nodes, plan)
    found.sort(key=lambda one: (KINDS.index(one["kind"]), one["time"] or "9", one["rank"], one["line"]))
    if not found or found[0]["kind"] == "note":
        return {**NOTHING, "also": [_short(one) for one in found]}
    first = found[0]
    others: list[dict[str, t.Any]] = []
    for one in map(_short, found[1:]):
        if one["name"] != first["name"] and one not in others:
            others.append(one)
    return {key: first[key] for key in NOTHING if key != "also"} | {"also": others}


def sentence(verdict: t.Mapping[str, t.Any]) -> str:
    """Return a diagnosis as text for a terminal: cause, fix, the lines that prove it, and what else was seen."""
    if not verdict["cause"]:
        return "no known cause stands in the logs of the ranks"
    lines = [
        f"Cause ({verdict['node']}, rank {verdict['rank']}): {verdict['cause']}.",
        f"What to do: {verdict['fix']}.",
        "The lines that show it:",
        *[f"  | {line}" for line in verdict["evidence"]],
        *[f"Also seen ({one['node']}, rank {one['rank']}): {one['cause']}." for one in verdict["also"][:5]],
    ]
    return "\n".join(lines)


def _short(one: Finding) -> dict[str, t.Any]:
    return {key: one[key] for key in ("name", "kind", "cause", "fix", "node", "rank")}


def _at_home(one: dict[str, t.Any], plan: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Ray relays lines of its workers into the driver's log, with the address that they come from."""
    home = {address: node for node, address in plan.get("addresses", {}).items()}.get(one.get("from_address", ""))
    return {**one, "node": home} if home else one


def _absent(nodes: t.Mapping[str, t.Mapping[str, t.Any]], plan: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    seen = {rank["container"] for result in nodes.values() for rank in result.get("ranks", []) if rank.get("state")}
    return [
        {
            "name": "rank-absent",
            "kind": "suspect",
            "cause": f"rank {rank['rank']} has no container on {rank['node']}",
            "fix": f"systemctl status {rank['unit']} on {rank['node']}; run serve.yml without --limit",
            "evidence": [f"no container {rank['container']}"],
            "time": "",
            "line": 0,
            "rank": rank["rank"],
            "node": rank["node"],
        }
        for rank in plan["ranks"]
        if rank["container"] not in seen
    ]
