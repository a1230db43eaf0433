# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.fleet_drift import FilterModule


def test_the_filter_compares() -> None:
    drift = FilterModule().filters()["fleet_drift"]
    nodes = {"n1": {"kernel": "a"}, "n2": {"kernel": "a"}, "n3": {"kernel": "b"}}
    assert drift(nodes)["lines"] == ["n3: kernel b where 2 have a"]
    assert drift(nodes, {"n1": {"gpus": [{"vbios_version": "1"}]}})["verdict"] == "warn"
