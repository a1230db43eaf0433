# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_manager import JUDGES
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, Case, node, said

CASES: list[Case] = [
    ("Fabric Manager", {}, {"units/nvidia-fabricmanager.service/active": "failed"}, {}, "fail"),
    ("Fabric Manager", {}, {"units/nvidia-fabricmanager.service/load": "not-found"}, {}, "pass"),
    (
        "Fabric Manager",
        {},
        {"units/nvidia-fabricmanager.service/load": "not-found", "processes/nv-fabricmanager": []},
        {},
        "fail",
    ),
    ("Fabric Manager", {}, {"units/nvidia-fabricmanager.service/restarts": 3}, {}, "fail"),
    ("Fabric Manager", {}, {"units": None, "processes/nv-fabricmanager": []}, {}, "not_verified"),
    ("Fabric Manager", {"gpus.0.virtualization_mode": 1, "gpus.1.virtualization_mode": 1}, {}, {}, "pass"),
    (
        "Fabric Manager",
        {"gpus.0.virtualization_mode": 1, "gpus.1.virtualization_mode": 1},
        {"nvswitches": []},
        {},
        "skip",
    ),
    ("Fabric Manager", {}, {"nvswitches": None}, {}, "not_verified"),
    ("Fabric Manager", {}, {"nvswitches": []}, {}, "skip"),
    ("Fabric Manager", {}, {}, {"fabric_manager": "absent"}, "warn"),
    ("Fabric Manager's version", {}, {"fabric_manager.version": "580.159.4"}, {}, "fail"),
    ("Fabric Manager's version", {}, {"fabric_manager.version": None}, {}, "not_verified"),
    ("Fabric Manager's version", {}, {"fabric_manager.installed": False}, {}, "fail"),
    ("Fabric Manager's log", {}, {"fabric_manager.log.complete": False}, {}, "not_verified"),
    ("Fabric Manager's log", {}, {"fabric_manager.log.lines": [{"text": "NV_WARN_NOTHING_TO_DO"}]}, {}, "warn"),
    ("Fabric Manager's log", {}, {"fabric_manager.log.lines": [{"text": "a fatal error"}]}, {}, "fail"),
    ("Fabric Manager's log", {}, {"fabric_manager.log.lines": [{"text": "a non-fatal error"}]}, {}, "warn"),
    ("NVSwitches", {}, {}, {"nvswitches": 6}, "fail"),
    ("NVSwitches", {"gpus.0.virtualization_mode": 1, "gpus.1.virtualization_mode": 1}, {}, {}, "skip"),
    ("NVSwitches", {}, {"nvswitches.0.revision": "ff"}, {}, "fail"),
    ("NVSwitches", {}, {"nvswitches": None}, {"nvswitches": 4}, "not_verified"),
    ("NVLink subnet manager", {}, {}, {}, "skip"),
    ("NVLink subnet manager", {"gpus.0.device_id": "2901"}, {}, {}, "fail"),
    ("IMEX", {}, {}, {}, "skip"),
    ("IMEX", {"gpus.0.device_id": "2941"}, {}, {}, "fail"),
    ("IMEX", {"gpus.0.device_id": "2941"}, {"imex.nodes": None}, {}, "not_verified"),
]


@pytest.mark.parametrize(("name", "nvml", "host", "expect", "verdict"), CASES)
def test_verdicts(name: str, nvml: t.Any, host: t.Any, expect: dict[str, t.Any], verdict: str) -> None:
    judged = JUDGES[name](node(nvml, host, expect))
    assert said(judged) == verdict, judged


@pytest.mark.parametrize("name", JUDGES)
def test_a_healthy_node_passes_or_is_not_asked(name: str) -> None:
    assert said(JUDGES[name](node(expect=EXPECT))) in ("pass", "skip")
