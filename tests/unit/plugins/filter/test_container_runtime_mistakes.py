# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.container_runtime_mistakes import FilterModule
from tests.unit.plugins.plugin_utils.runtime_samples import node, wishes


def test_filter() -> None:
    mistakes = FilterModule().filters()["container_runtime_mistakes"]
    assert mistakes(wishes(), node()) == []
    assert "container_runtime_data_root" in mistakes(wishes(data_root="x"), node())[0]
