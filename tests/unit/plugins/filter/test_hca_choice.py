# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.hca_choice import FilterModule
from tests.unit.plugins.plugin_utils.rdma_samples import pairs

hca_choice = FilterModule().filters()["hca_choice"]


def test_it_chooses_without_and_with_wishes() -> None:
    assert hca_choice(pairs(2))["hcas"] == ["mlx5_0", "mlx5_1"]
    assert hca_choice(pairs(2), {"hcas": ["mlx5_1"]})["nccl_ib_hca"] == "=mlx5_1:1"


def test_mistakes_are_data() -> None:
    assert len(hca_choice(pairs(2), {"compute_hcas": 3})["mistakes"]) == 1
