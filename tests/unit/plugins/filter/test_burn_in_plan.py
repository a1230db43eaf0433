# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.burn_in_plan import FilterModule
from ansible_collections.gpufleet.inference.tests.unit.plugins.plugin_utils.test__burn_in import node, wishes

burn_in_plan = FilterModule().filters()["burn_in_plan"]


def test_it_returns_the_plan_or_the_mistakes() -> None:
    assert burn_in_plan(node(), wishes())["argv"][:2] == ["docker", "run"]
    assert burn_in_plan(node(), wishes())["mistakes"] == []
    refused = burn_in_plan(node(), wishes(tier="fast"))
    assert list(refused) == ["mistakes"] and "burn_in_tier" in refused["mistakes"][0]
