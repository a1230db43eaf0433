# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All faults are in tests/unit/rdma; here is what holds for all judges together."""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge import FIRST, JUDGES, judge_rdma
from tests.unit.plugins.module_utils.rdma_samples import node


def test_the_first_check_tells_what_is_there() -> None:
    assert next(iter(JUDGES)) == FIRST


def test_without_an_hca_for_gpus_nothing_passes() -> None:
    found = judge_rdma(node("h20x8", {}, {"hcas": ["mlx5_9"], "gdr": "any"})).checks
    assert {one["verdict"] for one in found} == {"fail", "not_verified"}
    modules = next(one for one in found if one["name"] == "kernel modules")
    assert "but no HCA" in modules["observed"]


def test_storage_is_proven_by_itself() -> None:
    found = judge_rdma(node("h20x8", {}, {"hcas": ["mlx5_9"], "storage_hcas": ["mlx5_2"]})).checks
    assert [one["name"] for one in found if one["verdict"] == "pass"] == ["storage HCAs"]
