# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _monitoring_slo

SLO = {"ttft_seconds": 2.5, "tpot_seconds": 0.1, "objective": 0.95}


@pytest.mark.parametrize(
    ("engine", "slo", "seconds", "boundary"),
    [
        ("vllm", "ttft", 2.5, 2.5),
        ("vllm", "ttft", 2.0, 1.0),
        ("sglang", "ttft", 2.5, 2.0),
        ("sglang", "tpot", 0.05, 0.04),
        ("vllm", "tpot", 0.001, None),
        ("custom", "ttft", 2.5, None),
    ],
)
def test_an_objective_is_measured_at_the_lower_boundary(engine: str, slo: str, seconds: float, boundary: t.Any) -> None:
    assert _monitoring_slo.boundary(engine, slo, seconds) == boundary


def test_rules_of_two_engines() -> None:
    deployments = [
        {"name": "a", "engine": "vllm"},
        {"name": "b", "engine": "sglang"},
        {"name": "c", "engine": "custom"},
    ]
    (group,) = _monitoring_slo.rules(deployments, SLO, {"b": {"objective": 0.99}})["groups"]
    rules = group["rules"]
    assert {rule["labels"]["deployment"] for rule in rules} == {"a", "b"}
    budgets = {rule["labels"]["deployment"]: rule["expr"] for rule in rules if rule["record"] == "gpufleet:slo_budget"}
    assert budgets == {"a": "vector(0.05)", "b": "vector(0.01)"}
    b = next(
        rule["expr"]
        for rule in rules
        if rule["labels"] == {"deployment": "b", "slo": "ttft"} and "rate1h" in rule["record"]
    )
    assert b == (
        '1 - sum(rate(sglang:time_to_first_token_seconds_bucket{deployment="b",le="2.0"}[1h]))'
        ' / sum(rate(sglang:time_to_first_token_seconds_count{deployment="b"}[1h]))'
    )


@pytest.mark.parametrize(
    ("slo", "own", "said"),
    [
        ({**SLO, "objective": 1}, {}, "monitoring_slo.objective: 1 must be a number above 0 and below 1"),
        ({**SLO, "ttft": 1}, {}, "monitoring_slo: ttft is unknown"),
        ({"objective": 0.9}, {}, "monitoring_slo: ttft_seconds is missing"),
        (SLO, {"a": {"tpot_seconds": "fast"}}, "monitoring_deployment_slos.a.tpot_seconds: 'fast' must be a number"),
        (SLO, {"a": {"tpot_seconds": 0.001}}, "tpot_seconds must be 0.01 or more"),
    ],
)
def test_mistakes(slo: t.Any, own: t.Any, said: str) -> None:
    found = _monitoring_slo.mistakes([{"name": "a", "engine": "vllm"}], slo, own)
    assert any(said in one for one in found), found


def test_no_mistake() -> None:
    assert _monitoring_slo.mistakes([{"name": "a", "engine": "vllm"}], SLO, {"a": {"ttft_seconds": 5}}) == []
