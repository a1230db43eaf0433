# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of networks: the wire is the peak, and every usual number of NICs has a row."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_rows_fabric import FABRIC_ROWS


@pytest.mark.parametrize(
    ("nics", "rate", "wire"), [(8, 400, 400.0), (4, 400, 200.0), (8, 200, 200.0), (1, 100, 12.5), (8, 800, 800.0)]
)
def test_the_peak_of_an_all_reduce_is_the_wire(nics: int, rate: int, wire: float) -> None:
    (row,) = [one for one in FABRIC_ROWS if one.kind == "nccl_all_reduce" and (one.nics, one.nic_gbps) == (nics, rate)]
    assert (row.peak, row.algorithm) == (wire, "Ring")


def test_only_ring_is_judged_across_nodes() -> None:
    """On two nodes Tree and NVLSTree exceed the wire, so a floor says nothing about the network."""
    assert {row.algorithm for row in FABRIC_ROWS if row.kind == "nccl_all_reduce"} == {"Ring"}


@pytest.mark.parametrize("rate", [100, 200, 400])
def test_gates_of_writes_lie_near_those_of_clouds(rate: int) -> None:
    (row,) = [one for one in FABRIC_ROWS if one.kind == "rdma_write_bw" and one.nic_gbps == rate]
    assert row.expected is not None
    assert row.expected * row.floor_share == pytest.approx(0.9 * rate, rel=0.03)
