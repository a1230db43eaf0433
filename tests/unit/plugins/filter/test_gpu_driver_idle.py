# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.gpu_driver_idle import FilterModule


def test_it_names_what_does_not_run() -> None:
    gpu_driver_idle = FilterModule().filters()["gpu_driver_idle"]
    assert gpu_driver_idle({"units": {}}, ["nvidia-persistenced.service"]) == ["nvidia-persistenced.service"]
