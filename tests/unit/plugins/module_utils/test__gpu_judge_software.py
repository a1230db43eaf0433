# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_software import JUDGES
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, Case, node, said

CASES: list[Case] = [
    ("libraries", {}, {"libraries/libcuda.so.1": []}, {}, "fail"),
    ("libraries", {}, {"libraries/libcuda.so.1": None}, {}, "not_verified"),
    ("libraries", {}, {"libraries/libcuda.so.1/0/exists": False}, {}, "fail"),
    (
        "libraries",
        {},
        {
            "libraries/libcuda.so.1": [
                {"path": "a", "version": "1", "exists": True},
                {"path": "b", "version": "2", "exists": True},
            ]
        },
        {},
        "fail",
    ),
    (
        "device nodes",
        {},
        {"device_nodes": {f"/dev/{name}": "0660" for name in ("nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1")}},
        {},
        "warn",
    ),
    ("device nodes", {}, {"device_nodes": {}}, {}, "fail"),
    ("device nodes", {"gpus": []}, {"gpus": []}, {}, "not_verified"),
    (
        "harmful variables",
        {},
        {"environment": [{"name": "CUDA_PROFILE", "path": "/etc/environment", "value": "1"}]},
        {},
        "warn",
    ),
    ("stuck processes", {}, {"stuck_processes": None}, {}, "not_verified"),
    ("stuck processes", {}, {"stuck_processes": [{"pid": 1, "name": "x", "where": "rm_ioctl"}]}, {}, "fail"),
    ("Secure Boot", {}, {"driver.loaded": False, "secure_boot.enabled": True}, {}, "fail"),
    ("Secure Boot", {}, {"driver.loaded": False, "secure_boot.enabled": None}, {}, "not_verified"),
    ("Secure Boot", {}, {"driver.loaded": False, "secure_boot.enabled": None, "secure_boot.efi": False}, {}, "pass"),
    ("Secure Boot", {}, {"driver.loaded": False, "boot.container": "lxc"}, {}, "skip"),
    ("module for the next kernel", {}, {"kernels.nvidia": {"6.8.0": ""}}, {}, "fail"),
    ("module for the next kernel", {}, {"kernels.nvidia": {"6.8.0": "1.2.3"}}, {}, "warn"),
    ("module for the next kernel", {}, {"kernels.nvidia": {}}, {}, "not_verified"),
    ("module for the next kernel", {}, {"boot.container": "docker"}, {}, "skip"),
    ("driver packages held", {}, {"packages.held": []}, {}, "warn"),
    ("driver packages held", {}, {"packages.held": []}, {"packages_held": False}, "skip"),
    ("driver packages held", {}, {"packages.manager": "unknown"}, {}, "not_verified"),
    ("driver packages held", {}, {"packages.versions": {}}, {}, "skip"),
    ("driver packages held", {}, {"packages.versions": {"containerd": "1"}}, {}, "skip"),
    (
        "driver packages held",
        {},
        {"packages.held": [], "packages.versions": {"nvidia-driver-pinning-580": "1"}},
        {},
        "pass",
    ),
]


@pytest.mark.parametrize(("name", "nvml", "host", "expect", "verdict"), CASES)
def test_verdicts(name: str, nvml: t.Any, host: t.Any, expect: dict[str, t.Any], verdict: str) -> None:
    judged = JUDGES[name](node(nvml, host, expect))
    assert said(judged) == verdict, judged


@pytest.mark.parametrize("name", JUDGES)
def test_a_healthy_node_passes_or_is_not_asked(name: str) -> None:
    assert said(JUDGES[name](node(expect=EXPECT))) in ("pass", "skip")
