# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.container_runtime_expectation import FilterModule
from tests.unit.plugins.plugin_utils.runtime_samples import wishes


def test_filter() -> None:
    expectation = FilterModule().filters()["container_runtime_expectation"]
    assert expectation(wishes(data_root="/data"), [])["data_root"] == "/data"
