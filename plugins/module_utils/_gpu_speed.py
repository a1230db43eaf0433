# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the burn-in of one node's GPUs, bounded, and DCGM's own diagnosis where it is installed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Whatever goes wrong becomes a measurement without a value that says why: a node that gave nothing must show in the report.
"""

from __future__ import annotations

import json
import shutil
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome, bounded

#: What `dcgmi diag` of a level may take (NVIDIA: 2 about two minutes, 3 up to half an hour).
DCGM_SECONDS = {1: 300.0, 2: 900.0, 3: 3600.0, 4: 3 * 3600.0}

Run = dict[str, t.Any]


class Host:
    """What this needs of the node; a test gives another one."""

    def run(self, argv: t.Sequence[str], timeout_seconds: float) -> Outcome:
        return bounded(argv, timeout_seconds)

    def has(self, program: str) -> bool:
        return shutil.which(program) is not None


def measurement(node: str, kind: str, subject: str, **other: t.Any) -> dict[str, t.Any]:
    """Return a measurement in the form of all burn-ins, with empty fields where ``other`` has none."""
    return {
        "node": node,
        "peer": "",
        "kind": kind,
        "subject": subject,
        "value": None,
        "unit": "",
        "parameters": {},
        "series": [],
        "samples": [],
        "tool": "",
        "command": "",
        "seconds": 0.0,
        "problem": "",
        **other,
    }


def nothing(node: str, problem: str) -> Run:
    """Return the run of a node on which nothing could be measured."""
    one = measurement(node, "gemm", "", unit="TFLOP/s", problem=problem)
    return {"fleet": {node: {"problem": problem}}, "measurements": [one]}


def gpu_run(host: Host, node: str, argv: t.Sequence[str], seconds: float, container: str) -> Run:
    """Return what the script printed, or a run that says why there is nothing.

    A container whose client was ended for its time is removed, as it would go on loading the cards.
    """
    outcome = host.run(argv, seconds)
    if not outcome.ok:
        problem = outcome.problem
        if container and outcome.rc is None:
            removed = host.run(["docker", "rm", "--force", container], 60.0)
            problem += "" if removed.ok else f"; its container is still there: {removed.problem}"
        return nothing(node, problem)
    try:
        read = json.loads(outcome.stdout)
        return {"fleet": dict(read["fleet"]), "measurements": list(read["measurements"])}
    except (ValueError, KeyError, TypeError):
        return nothing(node, f"{argv[0]} printed no measurements: {outcome.stdout.strip()[-200:] or 'nothing'}")


def dcgm(host: Host, node: str, level: int) -> list[dict[str, t.Any]]:
    """Return how many tests of DCGM's diagnosis failed; nothing where it is not installed or not asked for."""
    if not level or not host.has("dcgmi"):
        return []
    argv = ["dcgmi", "diag", "--run", str(level), "--json"]
    outcome = host.run(argv, DCGM_SECONDS[level])
    said = {"tool": f"dcgmi diag -r {level}", "command": " ".join(argv)}
    failed, passed = dcgm_results(outcome.stdout)
    if not failed and not passed:
        why = outcome.problem or "dcgmi printed no results"
        return [measurement(node, "wrong_result", "dcgmi", parameters={"of": "DCGM"}, problem=why, **said)]
    parameters = {"of": "DCGM", "odd": failed, "passed": len(passed)}
    return [measurement(node, "wrong_result", "dcgmi", value=float(len(failed)), parameters=parameters, **said)]


def dcgm_results(text: str) -> tuple[list[str], list[str]]:
    """Return the names of failed and of passed tests in the JSON of ``dcgmi diag`` (3.x and 4.x; skipped ones are neither).

    Text may stand around the JSON: dcgmi prints warnings there.
    """
    try:
        read = json.loads(text[text.index("{") : text.rindex("}") + 1])
        categories = (read.get("DCGM Diagnostic") or read["DCGM GPU Diagnostic"])["test_categories"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return [], []
    failed, passed = [], []
    for category in categories:
        for test in category.get("tests", []):
            words = {str(one.get("status", "")).lower() for one in test.get("results", [])}
            words.add(str(test.get("test_summary", {}).get("status", "")).lower())
            if "fail" in words:
                failed.append(str(test.get("name")))
            elif "pass" in words or "warn" in words:
                passed.append(str(test.get("name")))
    return failed, passed
