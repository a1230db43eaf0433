# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.rdma_mistakes import FilterModule
from tests.unit.plugins.plugin_utils.test__rdma import node, wishes

rdma_mistakes = FilterModule().filters()["rdma_mistakes"]


def test_it_tells_all_mistakes() -> None:
    assert rdma_mistakes(node(), wishes()) == []
    assert len(rdma_mistakes(node(), wishes(max_read_request_bytes=5, hcas=["mlx5_7"]))) == 2
