# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What no table judges: temperatures, throttling, wrong results, transports, and figures that do not exist."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_rules as rules


def measured(
    kind: str, value: float | None, problem: str = "", subject: str = "gpu 0", **parameters: t.Any
) -> dict[str, t.Any]:
    return {
        "node": "n1",
        "kind": kind,
        "subject": subject,
        "value": value,
        "unit": "",
        "parameters": parameters,
        "problem": problem,
        "tool": "pynvml",
    }


@pytest.mark.parametrize(
    ("kind", "value", "parameters", "verdict", "observed"),
    [
        ("temperature", 65, {"statistic": "highest", "margin": 22}, "pass", "65 °C, 22 °C below the limit"),
        ("temperature", 83, {"statistic": "highest", "margin": 5}, "warn", "83 °C, 5 °C below the limit"),
        ("temperature", 90, {"statistic": "highest", "margin": -2}, "warn", "90 °C, -2 °C below"),
        ("temperature", 65, {"statistic": "highest", "margin": None}, "not_verified", "its limit is not known"),
        ("temperature", 6, {"statistic": "spread"}, "pass", "6 °C"),
        ("temperature", 11, {"statistic": "spread"}, "warn", "11 °C"),
        ("clock_throttle", 0, {"reasons": {"sw_power_cap": 0.96}}, "pass", "never for heat or power supply"),
        ("clock_throttle", 0.2, {"reasons": {"sw_thermal": 0.2}}, "warn", "sw_thermal 20% of the time"),
        (
            "clock_throttle",
            0.5,
            {"reasons": {"hw_thermal": 0.5, "sw_thermal": 0.1}},
            "fail",
            "hw_thermal 50% of the time",
        ),
        ("clock_throttle", 0.1, {"reasons": {"hw_power_brake": 0.1}}, "fail", "hw_power_brake 10%"),
        ("clock_throttle", 0.1, {"reasons": {"hw_slowdown": 0.1}}, "fail", "hw_slowdown 10%"),
        ("wrong_result", 0, {"of": "products in bf16"}, "pass", "0 in products in bf16"),
        ("wrong_result", 3, {"of": "all-reduce", "odd": ["gpu 3"]}, "fail", "3 in all-reduce: gpu 3"),
        ("wrong_result", 2, {"of": "DCGM", "odd": ["Memory", "Diagnostic"]}, "fail", "Memory, Diagnostic"),
    ],
)
def test_rules(kind: str, value: float, parameters: dict[str, t.Any], verdict: str, observed: str) -> None:
    found = rules.RULES[kind](measured(kind, value, **parameters))
    assert found["verdict"] == verdict, found
    assert observed in found["observed"]
    assert bool(found["remedy"]) == (verdict != "pass") and found["source"] == "pynvml"


@pytest.mark.parametrize(("parameters", "verdict"), [({"fault": True}, "fail"), ({}, "not_verified")])
def test_a_figure_that_does_not_exist_never_passes(parameters: dict[str, t.Any], verdict: str) -> None:
    found = rules.without_value(measured("gemm", None, "CUDA error: uncorrectable ECC error", **parameters))
    assert (found["verdict"], found["observed"]) == (verdict, "CUDA error: uncorrectable ECC error")
    assert found["remedy"]
    assert rules.without_value(measured("gemm", None))["observed"] == "no value, and no reason"


def test_the_transport_between_nodes_is_judged_by_what_was_chosen() -> None:
    said: dict[str, t.Any] = {
        "transports": {"NET/Socket": 4},
        "hcas": [],
        "no_device": True,
        "chosen": ["mlx5_0"],
        "gdr": True,
    }
    found = rules.RULES["nccl_transport"](measured("nccl_transport", 0.0, **said))
    assert found["verdict"] == "fail" and "NET/Socket" in found["observed"]
    free = {**said, "chosen": []}
    assert rules.RULES["nccl_transport"](measured("nccl_transport", 0.0, **free))["verdict"] == "pass"
