# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_ports import JUDGES
from tests.unit.plugins.module_utils.rdma_samples import Case, node, said

CASES: list[Case] = [
    ("port state", "h100x8", {"rdma/hcas/mlx5_0/ports/1/state": "ARMED"}, {}, "fail"),
    ("port state", "h100x8", {}, {"hcas": ["mlx5_9"]}, "not_verified"),
    ("physical link", "h100x8", {"rdma/hcas/mlx5_0/ports/1/physical_state": "LinkErrorRecovery"}, {}, "fail"),
    ("physical link", "h100x8", {"rdma/hcas/mlx5_0/ports/1/physical_state": "NOP"}, {}, "fail"),
    ("port rate", "h100x8", {}, {"rate_gbps": 400}, "pass"),
    ("port rate", "h100x8", {}, {"hcas": ["mlx5_0"], "rate_gbps": 200}, "fail"),
    ("port rate", "h100x8", {"rdma/hcas/mlx5_0/ports/1/rate_gbps": None}, {}, "not_verified"),
    ("link layer", "h100x8", {}, {}, "pass"),
    ("subnet manager", "roce", {}, {}, "skip"),
    ("subnet manager", "h100x8", {"rdma/hcas/mlx5_0/ports/1/sm_lid": None}, {}, "not_verified"),
    ("RoCE GIDs", "h100x8", {}, {}, "skip"),
    ("RoCE GIDs", "roce", {"rdma/hcas/mlx5_0/ports/1/gids": []}, {}, "not_verified"),
    ("RoCE MTU", "h100x8", {}, {}, "skip"),
    ("RoCE MTU", "roce", {}, {"mtu": 9001}, "warn"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]} {case[2] or case[3] or case[1]}")
def test_cases(case: Case) -> None:
    name, profile, changes, expect, verdict = case
    assert said(JUDGES[name](node(profile, changes, expect))) == verdict
