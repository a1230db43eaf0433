# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.gpu_driver_reboot import FilterModule


def test_it_decides() -> None:
    reboot = FilterModule().filters()["gpu_driver_reboot"]
    assert reboot("why", "allowed", "ssh", "boot", {})["allowed"]
    assert not reboot("why", "never", "ssh", "boot", {})["allowed"]
