# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the results of a load test to one judged document: load_test.json as plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
The JSON form is public: docs/load_test.md describes it, ``schema`` changes when a field changes its meaning.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance as acceptance
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_statements as statements
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_compare as compare
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_judge as judge
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_plan

SCHEMA = 1

Document = dict[str, t.Any]
Wishes = t.Mapping[str, t.Any]

#: Of a planned point, what is told of it.
SAID = ("target", "mix", "loop", "load", "requests", "asked_output_tokens", "seed", "label")


def joined(
    planned: t.Sequence[t.Mapping[str, t.Any]],
    results: t.Sequence[t.Mapping[str, t.Any]],
    targets: t.Sequence[t.Mapping[str, t.Any]],
) -> list[dict[str, t.Any]]:
    """Return points as they are told: what was planned and what came of it, in order.

    A planned point without a result is one that the run did not come to; it is told as not measured.
    """
    by_name = {one["name"]: one for one in targets}
    found = []
    for place, plan in enumerate(planned):
        target = by_name[plan["target"]]
        said = {key: plan[key] for key in SAID}
        said |= {
            "deployment": target["deployment"],
            "route": target.get("route", ""),
            "command": _command(plan["argv"]),
        }
        result = results[place] if place < len(results) else {"problem": "the run ended before this point"}
        empty = {"problem": "", "completed": 0, "failed": 0, "errors": [], "samples": {"ttft_ms": [], "e2el_ms": []}}
        found.append({**said, **empty, **result})
    return found


def _command(argv: t.Sequence[str]) -> str:
    """Return the tool's own words, without those of the container around it."""
    words = list(argv)
    return " ".join(words[words.index("--") + 1 :] if "--" in words else words)


def build(points: t.Sequence[dict[str, t.Any]], wishes: Wishes, history: t.Mapping[str, t.Any]) -> Document:
    """Return the document of a load test: judged, compared, summed up.

    ``history``: ``previous`` (the last document of the same sweep, or {}), ``history`` and ``notes`` as the lookup returns them.
    """
    targets = {one["name"]: _facts(one) for one in wishes["targets"]}
    checks = judge.checks(points, wishes)
    compared: dict[str, t.Any] = {}
    share = float(wishes["regression_share"])
    if history["previous"]:
        compared = compare.comparison(points, targets, history["previous"], wishes["regression_metrics"], share)
        checks += compare.gate(compared, share)
    return {
        "schema": SCHEMA,
        "started": wishes["started"],
        "host": wishes["host"],
        "tool": f"vllm bench serve, {wishes['program'] or _load_plan.image(wishes)}",
        "verdict": acceptance.worst(one["verdict"] for one in checks),
        "counts": {one: sum(check["verdict"] == one for check in checks) for one in acceptance.VERDICTS},
        "sweep": _load_plan.sweep(wishes),
        "slo": dict(wishes["slo"]),
        "fleet": targets,
        "points": [dict(one) for one in points],
        "versus": compare.versus(points),
        "comparison": compared,
        "history": list(history["history"]),
        "notes": list(history["notes"]) + _notes(wishes),
        "checks": checks,
        # Whoever reads them one after another must know of which target each is.
        "statements": [{**one, "name": f"{one['node']}: {one['name']}"} for one in statements.statements(checks)],
    }


def _facts(target: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "url": target["url"],
        "model": target["model"],
        "route": target.get("route", ""),
        **(target.get("facts") or {}),
    }


def _notes(wishes: Wishes) -> list[str]:
    if not any(mix.get("file") for mix in wishes["lengths"]):
        return []
    return ["Prompts from a file come again at each load: with prefix caching the later points have an easier time."]
