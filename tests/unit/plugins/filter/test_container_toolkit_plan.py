# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.container_toolkit_plan import FilterModule
from tests.unit.plugins.plugin_utils.test__gpu_containers import node, wishes


def test_filter() -> None:
    plan = FilterModule().filters()["container_toolkit_plan"]
    assert plan(wishes(), node())["access"] == "cdi"
    assert plan(wishes(), node(), {})["refusal"]
