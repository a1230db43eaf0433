# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.filter.fabric_end import FilterModule

PORT = {
    "state": "ACTIVE",
    "physical_state": "LinkUp",
    "link_layer": "Ethernet",
    "rate_gbps": 100.0,
    "gids": [{"index": 3, "gid": "0000:0000:0000:0000:0000:ffff:0a00:0001", "type": "RoCE v2"}],
}
NODE = {"gpus": [{}], "rdma": {"hcas": {"rxe0": {"ports": {"1": PORT}, "numa_node": None}}}}


@pytest.mark.parametrize(("declared", "index"), [(-1, 3), (0, 0)])
def test_a_negative_index_is_looked_for(declared: int, index: int) -> None:
    found = FilterModule().filters()["fabric_end"](NODE, ["rxe0"], declared, "10.0.0.1", "no image")
    assert found["hcas"][0]["gid_index"] == index
    assert (found["address"], found["gpus"], found["why_no_gpus"]) == ("10.0.0.1", 1, "no image")


def test_nothing_is_needed() -> None:
    found = FilterModule().filters()["fabric_end"]({}, mistakes=["Wrong."])
    assert (found["hcas"], found["problem"]) == ([], "Wrong.")
