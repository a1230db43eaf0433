# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_state import JUDGES
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, Case, node, said, unread

CASES: list[Case] = [
    ("persistence mode", {}, {}, {"persistence": False}, "warn"),
    ("slowed down now", {"gpus.0.clock_event_reasons": 0x25}, {}, {}, "warn"),
    ("slowed down now", {"gpus.0.clock_event_reasons": 0x45}, {}, {}, "fail"),
    ("slowed down now", {"gpus.0.clock_event_reasons": 0x117}, {}, {}, "pass"),
    ("slowed down before", {"gpus.0.throttle_ns.270": 999_999_999}, {}, {}, "pass"),
    ("slowed down before", {"gpus.0.throttle_ns.270": 1_000_000_001}, {}, {}, "warn"),
    ("slowed down before", {"gpus.0.throttle_ns.269": unread()}, {}, {}, "not_verified"),
    ("slowed down before", {"gpus.0.throttle_ns.269": unread(), "gpus.0.throttle_ns.271": 2e9}, {}, {}, "warn"),
    ("temperature margin", {"gpus.0.margin_temperature_c": 6}, {}, {}, "pass"),
    ("temperature margin", {"gpus.0.margin_temperature_c": 5}, {}, {}, "warn"),
    ("temperature margin", {"gpus.0.margin_temperature_c": 0}, {}, {}, "not_verified"),
    ("memory temperature", {"gpus.0.memory_temperature_c": 95}, {}, {}, "warn"),
    ("power limit", {"gpus.0.power_enforced_limit_mw": 499_500}, {}, {}, "pass"),
    ("power limit", {"gpus.0.power_enforced_limit_mw": 400_000}, {}, {"power_limit_w": 500}, "warn"),
    ("clocks under load", {}, {}, {}, "skip"),
    ("clocks under load", {"gpus.0.clock_event_reasons": 0}, {}, {}, "warn"),
    ("clocks under load", {"gpus.0.clock_event_reasons": 4}, {}, {}, "skip"),
    ("clocks under load", {"gpus.0.clock_event_reasons": 0}, {}, {"locked_clock_mhz": 345}, "pass"),
]


@pytest.mark.parametrize(("name", "nvml", "host", "expect", "verdict"), CASES)
def test_verdicts(name: str, nvml: t.Any, host: t.Any, expect: dict[str, t.Any], verdict: str) -> None:
    judged = JUDGES[name](node(nvml, host, expect))
    assert said(judged) == verdict, judged


@pytest.mark.parametrize("name", JUDGES)
def test_a_healthy_node_passes_or_is_not_asked(name: str) -> None:
    assert said(JUDGES[name](node(expect=EXPECT))) in ("pass", "skip")
