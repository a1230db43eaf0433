# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.gpu_driver_trouble import FilterModule


def test_it_tells_cause_and_remedy() -> None:
    trouble = FilterModule().filters()["gpu_driver_trouble"]
    assert trouble("locked by another process with pid 7", " 7 dpkg\n").startswith("process 7 (dpkg) holds the lock")
