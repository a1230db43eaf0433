# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_software import JUDGES
from tests.unit.plugins.module_utils.rdma_samples import Case, node, said

CASES: list[Case] = [
    ("character devices", "h100x8", {"characters/verbs": {}}, {}, "fail"),
    ("character devices", "h100x8", {"characters/mad": {}}, {}, "fail"),
    ("character devices", "roce", {"characters/mad": {}}, {}, "pass"),
    ("character devices", "none", {}, {"hcas": 4}, "not_verified"),
    ("kernel modules", "roce", {"modules/ib_umad/loaded": False}, {}, "pass"),
    ("kernel modules", "h100x8", {"modules/mlx5_ib/loaded": False}, {}, "fail"),
    ("kernel modules at boot", "h100x8", {"modules/mlx5_ib/persistent": False}, {}, "pass"),
    ("kernel modules at boot", "h100x8", {"boot/container": "docker"}, {}, "skip"),
    ("GPUDirect RDMA", "h100x8", {}, {"gdr": "none"}, "skip"),
    ("GPUDirect RDMA", "h100x8", {}, {"gdr": "peermem"}, "fail"),
    ("GPUDirect RDMA", "rxe", {}, {"hcas": ["rxe0"], "gdr": "any"}, "skip"),
    ("memlock of services", "h100x8", {}, {"memlock": False}, "skip"),
    ("memlock of logins", "h100x8", {}, {}, "pass"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]} {case[2] or case[3] or case[1]}")
def test_cases(case: Case) -> None:
    name, profile, changes, expect, verdict = case
    assert said(JUDGES[name](node(profile, changes, expect))) == verdict
