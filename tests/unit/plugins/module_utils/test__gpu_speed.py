# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The burn-in of a node is bounded, and whatever goes wrong becomes a measurement that says so."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_speed
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome

GOOD = {"schema": 1, "fleet": {"n1": {"gpus": 8}}, "measurements": [{"kind": "gemm", "value": 780.0}]}


class Host(_gpu_speed.Host):
    """A node on which commands come out as told, and what was run is kept."""

    def __init__(self, *outcomes: Outcome, has: bool = True) -> None:
        self.outcomes, self.there = list(outcomes), has
        self.asked: list[t.Sequence[str]] = []

    def run(self, argv: t.Sequence[str], timeout_seconds: float) -> Outcome:
        self.asked.append(argv)
        return self.outcomes.pop(0)

    def has(self, program: str) -> bool:
        return self.there


def test_what_the_script_printed_is_the_run() -> None:
    run = _gpu_speed.gpu_run(Host(Outcome(0, json.dumps(GOOD), "", "")), "n1", ["docker"], 60, "box")
    assert run == {"fleet": GOOD["fleet"], "measurements": GOOD["measurements"]}


def test_a_container_whose_time_is_over_is_removed() -> None:
    host = Host(Outcome(None, "", "", "docker did not answer within 60 s"), Outcome(0, "", "", ""))
    run = _gpu_speed.gpu_run(host, "n1", ["docker", "run"], 60, "gpufleet-burn-in")
    assert host.asked[1] == ["docker", "rm", "--force", "gpufleet-burn-in"]
    assert run["measurements"][0]["problem"] == "docker did not answer within 60 s"
    assert run["fleet"] == {"n1": {"problem": "docker did not answer within 60 s"}}


def test_a_container_that_stays_is_told() -> None:
    host = Host(Outcome(None, "", "", "late"), Outcome(1, "", "", "docker returned 1: tried to kill container"))
    run = _gpu_speed.gpu_run(host, "n1", ["docker", "run"], 60, "gpufleet-burn-in")
    assert run["measurements"][0]["problem"].endswith(
        "its container is still there: docker returned 1: tried to kill container"
    )


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (Outcome(125, "", "", "docker returned 125: no such image"), "docker returned 125: no such image"),
        (Outcome(0, "CUDA driver", "", ""), "docker printed no measurements: CUDA driver"),
        (Outcome(0, "", "", ""), "docker printed no measurements: nothing"),
        (Outcome(0, '{"fleet": {}}', "", ""), "docker printed no measurements"),
        (Outcome(0, "[]", "", ""), "docker printed no measurements"),
    ],
)
def test_anything_else_is_a_problem_of_the_node(outcome: Outcome, problem: str) -> None:
    run = _gpu_speed.gpu_run(Host(outcome), "n1", ["docker", "run"], 60, "box")
    (one,) = run["measurements"]
    assert problem in one["problem"] and one["value"] is None and one["node"] == "n1"


#: In the form of DCGM 4 (NvvsJsonStrings.h): results per entity, a summary per test.
REPORT = """Warning: persistence mode is off
{"DCGM Diagnostic": {"test_categories": [
  {"category": "Deployment", "tests": [
    {"name": "software", "results": [{"entity_id": 0, "status": "Pass"}], "test_summary": {"status": "Pass"}}]},
  {"category": "Hardware", "tests": [
    {"name": "memory", "results": [{"entity_id": 0, "status": "Pass"}, {"entity_id": 3, "status": "Fail"}]},
    {"name": "diagnostic", "results": [], "test_summary": {"status": "Skip"}}]},
  {"category": "Integration", "tests": [{"name": "pcie", "results": [{"entity_id": 0, "status": "Warn"}]}]}]}}
"""
OLDER = (
    '{"DCGM GPU Diagnostic": {"test_categories": [{"tests": [{"name": "Memory", "results": [{"status": "PASS"}]}]}]}}'
)


def test_the_diagnosis_of_dcgm() -> None:
    assert _gpu_speed.dcgm_results(REPORT) == (["memory"], ["software", "pcie"])
    assert _gpu_speed.dcgm_results(OLDER) == ([], ["Memory"])
    assert _gpu_speed.dcgm_results("Error: unable to connect") == ([], [])


def test_dcgm_counts_what_failed() -> None:
    host = Host(Outcome(226, REPORT, "", "dcgmi returned 226"))
    (one,) = _gpu_speed.dcgm(host, "n1", 2)
    assert (one["kind"], one["value"], one["parameters"]["odd"]) == ("wrong_result", 1.0, ["memory"])
    assert host.asked == [["dcgmi", "diag", "--run", "2", "--json"]]


def test_dcgm_that_says_nothing_is_a_problem_and_without_dcgm_nothing_is_said() -> None:
    (one,) = _gpu_speed.dcgm(Host(Outcome(1, "", "", "dcgmi returned 1: host engine is not running")), "n1", 3)
    assert (one["value"], one["problem"]) == (None, "dcgmi returned 1: host engine is not running")
    (two,) = _gpu_speed.dcgm(Host(Outcome(0, "{}", "", "")), "n1", 3)
    assert two["problem"] == "dcgmi printed no results"
    assert _gpu_speed.dcgm(Host(has=False), "n1", 2) == []
    assert _gpu_speed.dcgm(Host(), "n1", 0) == []


def test_the_real_host() -> None:
    host = _gpu_speed.Host()
    assert host.has("sh") and not host.has("no-such-program")
    assert host.run(["echo", "1"], 5).stdout == "1\n"
