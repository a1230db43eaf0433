# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan for people: what runs where, and why each variable is set.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _ready_budget


def lines(plans: t.Sequence[t.Mapping[str, t.Any]], proposals: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Return for each deployment its ranks with their command, each variable with its reason, its time to start, and splits.

    proposals  {name: {smallest, fastest}} of ``_sizing_overview.proposals``, None where nothing is known to fit

    What all ranks have in common is said once; of a variable that differs between nodes every value is named.
    """
    found: list[str] = []
    for plan in plans:
        found += ["", f"{plan['name']}: {plan['engine']} on {', '.join(plan['nodes'])}"]
        for rank in plan["ranks"]:
            found.append(f"  rank {rank['rank']} on {rank['node']}: {shlex.join(rank['argv'])}")
        for name, why in sorted({name: why for rank in plan["ranks"] for name, why in rank["reasons"].items()}.items()):
            values = list(dict.fromkeys(_value(rank, name) for rank in plan["ranks"] if name in rank["reasons"]))
            found.append(f"  {name}={' or '.join(values)}: {why}")
        found.append("  " + _ready_budget.line(plan["ready_budget_seconds"], plan.get("budget")))
        for kind in ("smallest", "fastest"):
            split = proposals.get(plan["name"], {}).get(kind)
            if split:
                found.append(f"  the {kind} that fits is {split['parallel']}: {split['why']}")
    return found


def _value(rank: t.Mapping[str, t.Any], name: str) -> str:
    words = [word for word in rank["spec"]["container"]["run"] if word.startswith(f"{name}=")]
    return words[0].partition("=")[2] if words else ""
