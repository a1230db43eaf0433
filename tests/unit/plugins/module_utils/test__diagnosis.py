# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Injected start failures: logs and states of one or more ranks → the right cause; healthy logs → none."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _diagnosis
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _diagnosis_of_group
from tests.unit.plugins.module_utils import diagnosis_samples as samples


def diagnose(case: samples.Case) -> dict[str, t.Any]:
    """Do what the module does on each node, and what the filter does with it on the controller."""
    nodes: dict[str, dict[str, t.Any]] = {}
    for rank in case.ranks:
        result = nodes.setdefault(rank["node"], {"findings": [], "ranks": []})
        result["findings"] += _diagnosis.findings(rank)
        result["ranks"].append({"container": rank["container"], "state": rank["state"]})
    return _diagnosis_of_group.diagnose(nodes, case.plan)


@pytest.mark.parametrize("case", samples.FAILURES, ids=str)
def test_a_failed_start_has_its_cause(case: samples.Case) -> None:
    verdict = diagnose(case)
    assert (verdict["name"], verdict["node"]) == (case.signature, case.node), _diagnosis_of_group.sentence(verdict)
    assert case.cause in verdict["cause"]
    assert case.fix in verdict["fix"]
    assert verdict["fix"] and "{" not in verdict["cause"] + verdict["fix"] and "?" not in verdict["cause"]
    assert len(verdict["evidence"]) <= 10


@pytest.mark.parametrize("case", samples.HEALTHY, ids=str)
def test_a_healthy_group_has_none(case: samples.Case) -> None:
    verdict = diagnose(case)
    assert verdict["cause"] == "", _diagnosis_of_group.sentence(verdict)
    assert sorted(one["name"] for one in verdict["also"]) == sorted(case.notes)


def test_there_are_enough_cases() -> None:
    assert len(samples.FAILURES) >= 150
    assert {rank["engine"] for case in samples.HEALTHY for rank in case.ranks} == {
        "vllm",
        "vllm_native",
        "sglang",
        "tensorrt_llm",
        "ray",
    }


def test_the_evidence_is_ten_lines_around_the_error() -> None:
    log = "\n".join(f"2026-11-22T04:10:{at:02}.5Z line {at}" for at in range(20))
    log = log.replace("line 10", "line 10 CUDA error: all CUDA-capable devices are busy or unavailable " + "x" * 500)
    [finding] = _diagnosis.findings({"engine": "vllm", "log": log})
    assert [line.split()[1] for line in finding["evidence"]] == [str(at) for at in range(6, 16)]
    assert max(map(len, finding["evidence"])) == 300
    assert finding["time"] == "2026-11-22T04:10:10.5Z"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("server_args=ServerArgs(api_key='sk-verysecret', port=1)", "server_args=ServerArgs(api_key=***, port=1)"),
        ('api_key="sk-verysecret"', "api_key=***"),
        ("vllm serve m --api-key sk-verysecret --port 1", "vllm serve m --api-key *** --port 1"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("HF_TOKEN=hf_abcdefghijk", "HF_TOKEN=***"),
        ("api_key=None, tokenizer_path=None", "api_key=None, tokenizer_path=None"),
    ],
)
def test_secrets_are_not_repeated(line: str, shown: str) -> None:
    assert _diagnosis.without_secrets(line) == shown


def test_colours_and_control_characters_are_not_repeated() -> None:
    assert _diagnosis.lines_of("\x1b[31mred\x1b[0m\x00\x07") == [("", "red")]


def test_a_repeated_line_is_one_finding() -> None:
    log = "OSError: [Errno 98] Address already in use\n" * 50
    assert [one["line"] for one in _diagnosis.findings({"engine": "vllm", "log": log})] == [0]


def test_what_was_said_before_the_engine_was_ready_is_over() -> None:
    log = "OSError: [Errno 98] Address already in use\nINFO:     Application startup complete.\n"
    assert _diagnosis.findings({"engine": "vllm", "log": log}) == []
    # SGLang says this line before it binds its port.
    assert [one["name"] for one in _diagnosis.findings({"engine": "sglang", "log": log})] == ["port-taken"]


def test_the_unknown_shows_errors_and_the_last_lines() -> None:
    log = "\n".join(["StrangeError: first", *(f"line {at}" for at in range(20))])
    state = {"running": False, "exit_code": 9}
    [finding] = _diagnosis.findings({"engine": "vllm", "log": log, "state": state})
    assert finding["name"] == "unknown"
    assert finding["evidence"] == ["StrangeError: first", *(f"line {at}" for at in range(11, 20))]
