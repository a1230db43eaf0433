# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.container_runtime_plan import FilterModule
from tests.unit.plugins.plugin_utils.runtime_samples import node, wishes


def test_filter() -> None:
    plan = FilterModule().filters()["container_runtime_plan"]
    assert plan(wishes(), node(), {"reachable": False, "can_raise_limits": True})["action"] == "start"
