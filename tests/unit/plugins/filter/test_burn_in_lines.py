# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.burn_in_lines import FilterModule

burn_in_lines = FilterModule().filters()["burn_in_lines"]


def test_it_returns_lines() -> None:
    one = {"kind": "hbm_copy", "subject": "gpu 0", "value": 4255.0, "unit": "GB/s", "parameters": {"bytes": 4 << 30}}
    assert burn_in_lines([one]) == ["HBM copy 4 GiB: 4255 GB/s"]
