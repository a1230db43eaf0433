# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.gpu_driver_kernel_changes import FilterModule


def test_it_names_kernel_packages_that_changed() -> None:
    changes = FilterModule().filters()["gpu_driver_kernel_changes"]
    before, after = {"packages": {"linux-image-amd64": "1"}}, {"packages": {"linux-image-amd64": "2"}}
    assert changes(before, after) == ["linux-image-amd64 was 1 and is 2"]
