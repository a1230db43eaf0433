# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.model_store_repairs import FilterModule


def test_filter() -> None:
    model_store_repairs = FilterModule().filters()["model_store_repairs"]
    found = {"a": {"directory": "/m/a", "bad": [{"path": "x", "problem": "extra"}]}}
    assert model_store_repairs({}, found, {})["remove"] == ["/m/a/x"]
