# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.monitoring_actions import FilterModule


def test_the_filter_hands_everything_on() -> None:
    unit = "gpufleet-prometheus.service"
    found = FilterModule().filters()["monitoring_actions"]([unit], [unit], [])
    assert found == [{"unit": unit, "state": "started"}]
