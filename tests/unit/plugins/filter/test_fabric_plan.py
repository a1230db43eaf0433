# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.fabric_plan import FilterModule


def test_one_node_meets_nobody() -> None:
    fabric_plan = FilterModule().filters()["fabric_plan"]
    found = fabric_plan({"n1": {}}, {"rounds": 0, "at_once": 50, "port": 18515})
    assert (found["parts"], found["notes"][-1]["text"]) == ([], "0 nodes with HCAs: no fabric to test")
