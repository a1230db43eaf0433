# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_access import JUDGES
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, Case, node, said, unread

CASES: list[Case] = [
    ("GPUDirect RDMA", {}, {}, {"gdr_path": "peermem"}, "fail"),
    ("GPUDirect RDMA", {}, {"gdr.dma_buf": False, "gdr.peermem": True}, {"gdr_path": "any"}, "warn"),
    ("GPUDirect RDMA", {}, {"gdr.dma_buf": None}, {"gdr_path": "any"}, "not_verified"),
    ("GPUDirect RDMA", {}, {}, {"gdr_path": "none"}, "skip"),
    ("GPUs in containers", {}, {"containers.toolkit": ""}, {}, "skip"),
    ("GPUs in containers", {}, {"containers.toolkit": ""}, {"containers": "required"}, "fail"),
    ("GPUs in containers", {}, {}, {"containers": "absent"}, "skip"),
    ("GPUs in containers", {}, {"containers.cdi.0.devices": ["GPU-a", "GPU-b", "all"]}, {}, "pass"),
    ("GPUs in containers", {}, {"containers.cdi.0.devices": ["0", "all"]}, {}, "fail"),
    ("GPUs in containers", {}, {"containers.cdi": [], "containers.toolkit": "1.9.0"}, {}, "warn"),
    ("GPUs in containers", {"init.code": -1}, {}, {}, "not_verified"),
    ("containers at a daemon-reload", {}, {"containers.toolkit": "1.9.0"}, {}, "warn"),
    ("containers at a daemon-reload", {}, {"containers.toolkit": "1.9.0", "containers.device_links": 9}, {}, "pass"),
    ("containers at a daemon-reload", {}, {"containers.runtime_mode": "legacy"}, {}, "warn"),
    ("containers at a daemon-reload", {}, {"containers.toolkit": ""}, {}, "skip"),
    ("confidential computing", {}, {}, {"conf_compute": True}, "fail"),
    (
        "confidential computing",
        {"system.conf_compute.feature": 1, "system.conf_compute_ready": 1},
        {},
        {"conf_compute": True},
        "pass",
    ),
    (
        "confidential computing",
        {"system.conf_compute.feature": 1, "system.conf_compute_ready": unread()},
        {},
        {"conf_compute": True},
        "not_verified",
    ),
    (
        "confidential computing",
        {"system.conf_compute.feature": unread(3), "gpus.0.device_id": "1eb8", "gpus.1.device_id": "1eb8"},
        {},
        {},
        "skip",
    ),
]


@pytest.mark.parametrize(("name", "nvml", "host", "expect", "verdict"), CASES)
def test_verdicts(name: str, nvml: t.Any, host: t.Any, expect: dict[str, t.Any], verdict: str) -> None:
    judged = JUDGES[name](node(nvml, host, expect))
    assert said(judged) == verdict, judged


@pytest.mark.parametrize("name", JUDGES)
def test_a_healthy_node_passes_or_is_not_asked(name: str) -> None:
    assert said(JUDGES[name](node(expect=EXPECT))) in ("pass", "skip")
