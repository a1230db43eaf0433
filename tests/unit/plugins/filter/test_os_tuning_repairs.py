# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.os_tuning_repairs import FilterModule


def test_it_names_the_repairs() -> None:
    os_tuning_repairs = FilterModule().filters()["os_tuning_repairs"]
    assert os_tuning_repairs([{"name": "swap", "verdict": "warn"}], ["/etc/sysctl.d/x"]) == ["sysctl", "swap"]
