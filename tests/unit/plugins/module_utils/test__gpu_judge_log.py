# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import Finding
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_log import JUDGES, recovery_actions
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, Case, node, said

CASES: list[Case] = [
    ("Xids", {}, {"kernel_log.lines": [{"time": 100.0, "text": "NVRM: Xid (PCI:0000:43:00): 79, text"}]}, {}, "fail"),
    ("Xids", {}, {"kernel_log.lines": [{"time": 100.0, "text": "NVRM: Xid (PCI:0000:43:00): 63, text"}]}, {}, "warn"),
    ("Xids", {}, {"kernel_log.lines": [{"time": 100.0, "text": "NVRM: Xid (PCI:0000:43:00): 31, text"}]}, {}, "pass"),
    (
        "Xids",
        {},
        {"kernel_log.lines": [{"time": 100.0, "text": "NVRM: Xid (PCI:0000:43:00): 79, text"}]},
        {"since": 101},
        "pass",
    ),
    (
        "Xids",
        {},
        {"kernel_log.lines": [{"time": 100.0, "text": "NVRM: Xid (PCI:0000:43:00): 79, text"}]},
        {"since": 100},
        "fail",
    ),
    ("Xids", {}, {"kernel_log.complete": False}, {}, "not_verified"),
    (
        "Xids",
        {},
        {
            "kernel_log.complete": False,
            "kernel_log.lines": [{"time": 100.0, "text": "NVRM: Xid (PCI:0000:43:00): 79, text"}],
        },
        {},
        "fail",
    ),
    ("Xids", {}, {"kernel_log.source": ""}, {}, "not_verified"),
    ("SXids", {}, {"kernel_log.source": ""}, {}, "not_verified"),
    ("SXids", {}, {"nvswitches": []}, {}, "skip"),
]


@pytest.mark.parametrize(("name", "nvml", "host", "expect", "verdict"), CASES)
def test_verdicts(name: str, nvml: t.Any, host: t.Any, expect: dict[str, t.Any], verdict: str) -> None:
    judged = JUDGES[name](node(nvml, host, expect))
    assert said(judged) == verdict, judged


@pytest.mark.parametrize("name", JUDGES)
def test_a_healthy_node_passes_or_is_not_asked(name: str) -> None:
    assert said(JUDGES[name](node(expect=EXPECT))) in ("pass", "skip")


def test_gpus_are_named_by_their_index() -> None:
    line = {"time": None, "text": "NVRM: Xid (PCI:0000:43:00): 79, gone"}
    judged = JUDGES["Xids"](node({}, {"kernel_log.lines": [line]}))
    assert isinstance(judged, Finding)
    assert (judged.observed, judged.sick) == ({"1": "Xid 79 GPU has fallen off the bus"}, (1,))


def test_what_xids_ask_for() -> None:
    lines = [{"time": None, "text": f"NVRM: Xid (PCI:0000:43:00): {number}, x"} for number in (31, 48, 79)]
    assert recovery_actions(node({}, {"kernel_log.lines": lines})) == {1: "reboot"}
