# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.node_tools_mistakes import FilterModule
from ansible_collections.gpufleet.inference.tests.unit.plugins.plugin_utils.test__node_tools import nvml, wishes


def test_filter() -> None:
    mistakes = FilterModule().filters()["node_tools_mistakes"]
    assert mistakes(wishes()) == []
    assert "node_tools_nvml_version" in mistakes(wishes(pins=nvml("newest")))[0]
