# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_devices import JUDGES
from tests.unit.plugins.module_utils.rdma_samples import Case, node, said

CASES: list[Case] = [
    ("RDMA devices", "h20x8", {}, {"hcas": 4}, "pass"),
    ("RDMA devices", "h20x8", {}, {"hcas": ["mlx5_0", "mlx5_5"]}, "pass"),
    ("RDMA devices", "h20x8", {}, {"hcas": 6}, "fail"),
    ("RDMA devices", "none", {}, {}, "not_verified"),
    ("RDMA devices", "none", {}, {"hcas": 0}, "pass"),
    ("storage HCAs", "h20x8", {}, {}, "skip"),
    ("storage HCAs", "h20x8", {}, {"storage_hcas": ["mlx5_2"]}, "pass"),
    ("storage HCAs", "h20x8", {}, {"storage_hcas": ["mlx5_2", "mlx5_8"]}, "fail"),
    ("storage HCAs", "h20x8", {}, {"storage_hcas": 3}, "fail"),
    ("HCA type", "rxe", {}, {"hcas": ["rxe0"]}, "not_verified"),
    ("HCA type", "h100x8", {}, {"hca_type": "MT4129"}, "pass"),
    ("HCA firmware", "h100x8", {}, {"firmware": "28.41.1000"}, "pass"),
    ("topology", "guest", {}, {}, "not_verified"),
    ("topology", "guest", {"topology_file": "/etc/t.xml"}, {}, "pass"),
    ("topology", "guest", {}, {"topology_file": "/etc/t.xml"}, "fail"),
    ("topology", "rxe", {}, {"hcas": ["rxe0"]}, "skip"),
    ("topology", "h100x8", {"rdma/hcas/mlx5_0/path": []}, {}, "not_verified"),
    ("topology", "h100x8", {}, {"hcas": ["mlx5_9"]}, "not_verified"),
    ("topology", "h100x8", {}, {"hcas": ["mlx5_0"]}, "warn"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]} {case[2] or case[3] or case[1]}")
def test_cases(case: Case) -> None:
    name, profile, changes, expect, verdict = case
    assert said(JUDGES[name](node(profile, changes, expect))) == verdict
