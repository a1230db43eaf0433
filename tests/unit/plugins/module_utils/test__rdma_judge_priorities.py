# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_priorities import JUDGES
from tests.unit.plugins.module_utils.rdma_samples import Case, node, said

CASES: list[Case] = [
    ("RoCE trust", "roce", {}, {}, "skip"),
    ("RoCE trust", "h100x8", {}, {"roce_trust": "dscp"}, "skip"),
    ("RoCE trust", "roce", {}, {"roce_trust": "dscp"}, "pass"),
    ("RoCE trust", "roce", {}, {"roce_trust": "pcp"}, "fail"),
    ("RoCE trust", "roce", {"priorities": {}}, {"roce_trust": "dscp"}, "not_verified"),
    ("RoCE flow control", "roce", {}, {}, "skip"),
    ("RoCE flow control", "h100x8", {}, {"roce_pfc_priorities": [3]}, "skip"),
    ("RoCE flow control", "roce", {}, {"roce_pfc_priorities": [3]}, "pass"),
    ("RoCE flow control", "roce", {}, {"roce_pfc_priorities": []}, "fail"),
    ("RoCE flow control", "roce", {"priorities": {}}, {"roce_pfc_priorities": [3]}, "not_verified"),
    ("RoCE flow control", "roce", {}, {"hcas": ["mlx5_9"], "roce_pfc_priorities": [3]}, "skip"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]} {case[2] or case[3] or case[1]}")
def test_cases(case: Case) -> None:
    name, profile, changes, expect, verdict = case
    assert said(JUDGES[name](node(profile, changes, expect))) == verdict
