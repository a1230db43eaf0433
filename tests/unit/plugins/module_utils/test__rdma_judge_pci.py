# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_pci import JUDGES
from tests.unit.plugins.module_utils.rdma_samples import Case, node, said

CASES: list[Case] = [
    ("HCA PCIe link", "rxe", {}, {"hcas": ["rxe0"]}, "skip"),
    ("HCA PCIe link", "h100x8", {}, {"hcas": ["mlx5_9"]}, "not_verified"),
    ("MaxReadReq", "h100x8", {}, {"max_read_request": 4096}, "pass"),
    ("MaxReadReq", "h100x8", {"config/0000:13:00.0/max_read_request": 128}, {}, "warn"),
    ("ACS", "h100x8", {}, {}, "pass"),
    ("ACS", "h100x8", {"config/0000:12:00.0/acs": 0x4}, {}, "fail"),
    ("ACS", "h100x8", {"config/0000:12:00.0/acs": 0x40}, {}, "warn"),
    ("ACS", "h100x8", {"config/0000:12:00.0/acs": 0x1D}, {"acs": "any"}, "skip"),
    ("ACS", "h100x8", {"config/0000:12:00.0/acs": None}, {}, "not_verified"),
    ("ACS", "h100x8", {"config/0000:12:00.0/acs": None, "config/0000:12:00.0/acs_capable": False}, {}, "pass"),
    ("ACS", "h100x8", {"boot/hypervisor": None}, {}, "not_verified"),
    ("ACS", "h100x8", {"rdma/gpus": {}}, {}, "skip"),
    ("ACS", "guest", {}, {}, "skip"),
    ("ACS", "guest", {"boot/hypervisor": False}, {}, "not_verified"),
    ("ATS", "guest", {"config/0000:00:05.0/ats": True, "config/0000:00:06.0/ats": True}, {}, "pass"),
    ("ATS", "guest", {"rdma/gpus": {}}, {}, "skip"),
    ("ATS", "h100x8", {}, {}, "skip"),
    ("IOMMU", "guest", {}, {}, "skip"),
    ("IOMMU", "h100x8", {"iommu/mlx5_0": "identity"}, {}, "pass"),
    ("IOMMU", "h100x8", {"iommu/mlx5_0": "DMA"}, {"iommu": "any"}, "skip"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]} {case[2] or case[3] or case[1]}")
def test_cases(case: Case) -> None:
    name, profile, changes, expect, verdict = case
    assert said(JUDGES[name](node(profile, changes, expect))) == verdict
