# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module joins the ranks of a node: findings best first, states, problems, logs without secrets."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _rank_look

Run = t.Callable[..., dict[str, t.Any]]

RANKS = [
    {"rank": at, "engine": "vllm_native", "container": f"rank{at}", "unit": "gpufleet-engine-r1.service"}
    for at in (0, 1)
]
LOGS = {
    "rank0": "2026-11-22T04:12:00.0Z RuntimeError: Engine core initialization failed. See root cause above.\n",
    "rank1": "2026-11-22T04:11:00.0Z api_key='sk-secret'\n2026-11-22T04:11:01.0Z GPU is lost\n",
}


@pytest.fixture(autouse=True)
def node(monkeypatch: pytest.MonkeyPatch) -> None:
    def rank(number: int, engine: str, name: str, unit: str) -> tuple[dict[str, t.Any], list[str]]:
        state = {"running": False, "exit_code": 1}
        seen = {"rank": number, "engine": engine, "container": name, "unit": unit, "state": state, "log": LOGS[name]}
        return {**seen, "status": "failed: x", "kernel": "", "facts": {}}, ["no dmesg"] if number else []

    monkeypatch.setattr(_rank_look, "rank", rank)


def test_findings_of_all_ranks_best_first(run_module: Run) -> None:
    result = run_module("engine_diagnosis", check=True, ranks=RANKS)
    assert not result["failed"] and not result["changed"]
    assert [(one["name"], one["rank"]) for one in result["findings"]] == [("gpu-lost", 1), ("engine-core-failed", 0)]
    assert result["problems"] == ["rank1: no dmesg"]
    assert [(one["container"], one["lines"]) for one in result["ranks"]] == [("rank0", 1), ("rank1", 2)]
    assert result["logs"] == []


def test_logs_are_returned_without_secrets(run_module: Run) -> None:
    result = run_module("engine_diagnosis", ranks=RANKS, with_logs=True)
    assert {one["container"]: one["text"] for one in result["logs"]}["rank1"].startswith(
        "2026-11-22T04:11:00.0Z api_key=***\n"
    )
    assert "sk-secret" not in str(result)
