# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.os_tuning_mistakes import FilterModule

WISHES = {"sysctl": {}, "nofile": 65536, "time_sync": "keep", "time_daemons": {}, "held_packages": []}


def test_filter() -> None:
    mistakes = FilterModule().filters()["os_tuning_mistakes"]
    assert mistakes(WISHES) == []
    assert "os_tuning_nofile" in mistakes({**WISHES, "nofile": 1})[0]
