# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_driver import JUDGES
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, Case, node, said

CASES: list[Case] = [
    ("driver loaded", {}, {"driver.loaded": False}, {}, "fail"),
    ("driver loaded", {}, {"driver.loaded": False, "gpus": None}, {}, "not_verified"),
    ("driver loaded", {}, {"driver.loaded": False, "gpus": []}, {"gpus": 8}, "fail"),
    ("NVML answers", {"hung_in": "nvmlDeviceGetName gpu 1"}, {}, {}, "fail"),
    ("NVML answers", {"init.code": -1}, {}, {}, "not_verified"),
    ("NVML answers", {"init.code": 12}, {}, {}, "fail"),
    ("driver and libraries agree", {"init.code": 18}, {}, {}, "fail"),
    ("driver and libraries agree", {"system.nvml_version": "13.580.1.1"}, {}, {}, "fail"),
    ("driver and libraries agree", {}, {"driver.version": "", "modules.nvidia": {"version": ""}}, {}, "not_verified"),
    ("kernel module flavour", {}, {"driver.flavour": "proprietary"}, {}, "pass"),
    ("kernel module flavour", {}, {"driver.flavour": "proprietary"}, {"module_flavour": "open"}, "fail"),
    ("kernel module flavour", {"gpus.0.device_id": "2901"}, {"driver.flavour": "proprietary"}, {}, "fail"),
    ("kernel module flavour", {"gpus.0.device_id": "1db1"}, {}, {}, "fail"),
    ("kernel module flavour", {"gpus.0.device_id": "3fff"}, {}, {}, "not_verified"),
    ("kernel module flavour", {"gpus.0.device_id": "3fff"}, {}, {"module_flavour": "open"}, "pass"),
    ("driver version", {}, {}, {"driver_version": "580.159.4"}, "fail"),
    ("driver version", {}, {}, {}, "not_verified"),
    ("driver branch", {}, {}, {}, "skip"),
    ("driver branch", {"gpus.0.device_id": "1db1"}, {"driver.version": "590.48.01"}, {}, "fail"),
    ("CUDA version", {}, {}, {"cuda_at_least": "12.8"}, "pass"),
    ("CUDA version", {"system.cuda_version": 12090}, {}, {"cuda_at_least": "12.10"}, "fail"),
    ("nouveau", {}, {"modules.nova_core": {"loaded": True}}, {}, "fail"),
    ("nouveau", {}, {"boot.container": "docker"}, {}, "skip"),
    ("GSP firmware", {"gpus.0.gsp_firmware_mode.enabled": 0}, {}, {}, "warn"),
]


@pytest.mark.parametrize(("name", "nvml", "host", "expect", "verdict"), CASES)
def test_verdicts(name: str, nvml: t.Any, host: t.Any, expect: dict[str, t.Any], verdict: str) -> None:
    judged = JUDGES[name](node(nvml, host, expect))
    assert said(judged) == verdict, judged


@pytest.mark.parametrize("name", JUDGES)
def test_a_healthy_node_passes_or_is_not_asked(name: str) -> None:
    assert said(JUDGES[name](node(expect=EXPECT))) in ("pass", "skip")
