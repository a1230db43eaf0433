# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.fabric_plan import FilterModule as Plan
from ansible_collections.gpufleet.inference.plugins.filter.fabric_swaps import FilterModule


def test_without_pairs_nobody_meets_again() -> None:
    fabric_plan, fabric_swaps = Plan().filters()["fabric_plan"], FilterModule().filters()["fabric_swaps"]
    plan = fabric_plan({"n1": {}}, {"rounds": 0, "at_once": 50, "port": 18515})
    assert fabric_swaps(plan, {}, {"floor_share": 0.9}) == {"parts": [], "pairs": []}
