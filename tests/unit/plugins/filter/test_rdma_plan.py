# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.rdma_plan import FilterModule
from tests.unit.plugins.plugin_utils.test__rdma import node, wishes

rdma_plan = FilterModule().filters()["rdma_plan"]


def test_it_returns_the_plan() -> None:
    found = rdma_plan(node(), wishes())
    assert found["choice"]["hcas"] == ["mlx5_0", "mlx5_1"]
    assert found["containers"]["devices"] == ["/dev/infiniband"]
