# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_cards import JUDGES
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, Case, node, said, unread

CASES: list[Case] = [
    ("GPU count", {"gpus": []}, {"gpus": []}, {"gpus": 0}, "pass"),
    ("GPU count", {"gpus": []}, {"gpus": []}, {}, "not_verified"),
    ("GPU count", {}, {}, {"gpus": 8}, "fail"),
    ("GPU count", {}, {}, {"gpus": 1}, "fail"),
    ("GPU count", {}, {}, {}, "not_verified"),
    ("GPU count", {"init.code": -1}, {}, {"gpus": 2}, "not_verified"),
    ("GPU count", {"init.code": -1}, {"gpus": None}, {}, "not_verified"),
    ("GPU count", {}, {"gpus": []}, {}, "fail"),
    ("GPU handles", {"gpus.1.handle": unread(15)}, {}, {}, "fail"),
    ("GPU handles", {"gpus.1.handle": unread(-1)}, {}, {}, "not_verified"),
    ("GPU handles", {"gpus": []}, {}, {}, "not_verified"),
    ("GPUs on the bus", {}, {"gpus.0.revision": "ff"}, {}, "fail"),
    ("GPUs on the bus", {}, {"gpus.0.revision": None}, {}, "not_verified"),
    ("GPUs on the bus", {}, {"gpus": []}, {}, "not_verified"),
    ("recovery action", {"gpus.1.recovery_action": 2}, {}, {}, "fail"),
    ("recovery action", {"gpus.1.recovery_action": 42}, {}, {}, "fail"),
    ("GPUs in the catalogue", {"gpus.1.device_id": "3fff"}, {}, {}, "not_verified"),
    ("GPU kind", {"gpus.1.device_id": "3fff"}, {}, {"kind": "h20-96"}, "fail"),
    ("GPU kind", {}, {}, {}, "not_verified"),
    ("GPUs alike", {"gpus.1.device_id": "2330"}, {}, {}, "warn"),
    ("GPU memory size", {"gpus.1.memory_total_bytes": 2**36}, {}, {}, "fail"),
    ("VBIOS alike", {"gpus.1.vbios_version": unread(3)}, {}, {}, "not_verified"),
    ("MIG mode", {}, {}, {"mig": True}, "fail"),
    ("MIG mode", {"gpus.0.mig_mode": unread(3)}, {}, {}, "pass"),
    ("MIG mode", {"gpus.0.mig_mode": unread(3), "gpus.1.mig_mode": unread(3)}, {}, {"mig": True}, "not_verified"),
    ("compute mode", {"gpus.0.compute_mode": 3}, {}, {"compute_mode": "exclusive_process"}, "fail"),
    ("leftover processes", {"gpus.0.processes": [{"pid": 1, "used_bytes": 1}]}, {}, {"processes": "none"}, "warn"),
    ("leftover processes", {}, {}, {"processes": "any"}, "skip"),
]


@pytest.mark.parametrize(("name", "nvml", "host", "expect", "verdict"), CASES)
def test_verdicts(name: str, nvml: t.Any, host: t.Any, expect: dict[str, t.Any], verdict: str) -> None:
    judged = JUDGES[name](node(nvml, host, expect))
    assert said(judged) == verdict, judged


@pytest.mark.parametrize("name", JUDGES)
def test_a_healthy_node_passes_or_is_not_asked(name: str) -> None:
    assert said(JUDGES[name](node(expect=EXPECT))) in ("pass", "skip")
