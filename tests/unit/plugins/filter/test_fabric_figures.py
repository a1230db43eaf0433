# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.fabric_figures import FilterModule
from ansible_collections.gpufleet.inference.plugins.filter.fabric_plan import FilterModule as Plan


def test_one_node_is_not_verified() -> None:
    fabric_plan, fabric_figures = Plan().filters()["fabric_plan"], FilterModule().filters()["fabric_figures"]
    plan = fabric_plan({"n1": {}}, {"rounds": 0, "at_once": 50, "port": 18515})
    found = fabric_figures(plan, {}, {}, {}, {"floor_share": 0.9, "image": "", "gdr": True})
    assert {one["verdict"] for one in found["checks"]} == {"not_verified"}
