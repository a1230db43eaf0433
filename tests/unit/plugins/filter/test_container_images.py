# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.container_images import FilterModule


def test_filter() -> None:
    container_images = FilterModule().filters()["container_images"]
    assert container_images([], {}) == {"mistakes": [], "pull": [], "load": [], "expect": []}
    assert container_images([{"name": "a/b:1"}], {}, {})["pull"] == [{"name": "a/b:1", "reference": "a/b:1"}]
