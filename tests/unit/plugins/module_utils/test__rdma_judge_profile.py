# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_profile import KEYS, Profile, profile


@pytest.mark.parametrize(
    ("expect", "wanted"),
    [
        ({}, Profile()),
        ({"hcas": None}, Profile()),
        ({"hcas": "4", "rate_gbps": "400"}, Profile(hcas=4, rate_gbps=400)),
        ({"hcas": ["mlx5_0"], "storage_hcas": 2}, Profile(hcas=("mlx5_0",), storage_hcas=2)),
        ({"rate_gbps": 2.5, "memlock": "no"}, Profile(rate_gbps=2.5, memlock=False)),
        (
            {"roce_trust": "dscp", "roce_pfc_priorities": ["4", 3]},
            Profile(roce_trust="dscp", roce_pfc_priorities=(3, 4)),
        ),
        ({"roce_pfc_priorities": []}, Profile(roce_pfc_priorities=())),
        ({"gdr": "any", "acs": "any", "firmware": 28.41}, Profile(gdr="any", acs="any", firmware="28.41")),
    ],
)
def test_profiles(expect: dict[str, t.Any], wanted: Profile) -> None:
    assert profile(expect) == wanted


@pytest.mark.parametrize(
    ("expect", "mistake"),
    [
        ({"hca": 4}, "unknown hca"),
        ({"hcas": "mlx5_0"}, "no number"),
        ({"hcas": 1.5}, "neither a whole number nor a list"),
        ({"rate_gbps": True}, "no number"),
        ({"mtu": -1}, "no number"),
        ({"link_layer": "infiniband"}, "none of InfiniBand, Ethernet"),
        ({"roce_trust": "keep"}, "none of dscp, pcp"),
        ({"roce_pfc_priorities": [3, 8]}, "no list of priorities"),
        ({"roce_pfc_priorities": "34"}, "no list of priorities"),
        ({"memlock": "perhaps"}, "neither true nor false"),
    ],
)
def test_mistakes(expect: dict[str, t.Any], mistake: str) -> None:
    with pytest.raises(ValueError, match=mistake):
        profile(expect)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"expect\.mtu.*unknown x\. Known are hcas"):
        profile({"mtu": "much", "x": 1})
    assert "hcas" in KEYS
