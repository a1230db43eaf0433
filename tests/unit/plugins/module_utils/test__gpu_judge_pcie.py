# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_pcie import JUDGES
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, Case, node, said, unread

CASES: list[Case] = [
    ("PCIe link", {"gpus.0.pcie_width": 8}, {}, {}, "fail"),
    ("PCIe link", {"gpus.0.pcie_width": unread(), "gpus.0.pcie_generation": unread()}, {}, {}, "pass"),
    ("PCIe link", {"gpus.0.virtualization_mode": 1}, {"gpus.0.link_width": 8}, {}, "pass"),
    ("PCIe link", {}, {"gpus.0.link_width": 8}, {}, "fail"),
    ("PCIe replays", {"gpus.0.pcie_replays": 1000}, {}, {}, "pass"),
    ("PCIe replays", {"gpus.0.pcie_replays": 50_000}, {}, {}, "warn"),
    ("PCIe replays", {"gpus.0.pcie_replays": 1}, {"boot.uptime_seconds": None}, {}, "not_verified"),
    ("PCIe errors", {}, {"gpus.0.aer.nonfatal": 1}, {}, "warn"),
    ("PCIe errors", {}, {"gpus.0.aer": None}, {}, "pass"),
]


@pytest.mark.parametrize(("name", "nvml", "host", "expect", "verdict"), CASES)
def test_verdicts(name: str, nvml: t.Any, host: t.Any, expect: dict[str, t.Any], verdict: str) -> None:
    judged = JUDGES[name](node(nvml, host, expect))
    assert said(judged) == verdict, judged


@pytest.mark.parametrize("name", JUDGES)
def test_a_healthy_node_passes_or_is_not_asked(name: str) -> None:
    assert said(JUDGES[name](node(expect=EXPECT))) in ("pass", "skip")
