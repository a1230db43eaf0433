# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.gateway_plan import FilterModule


def test_the_filter_hands_everything_on() -> None:
    gateway_plan = FilterModule().filters()["gateway_plan"]
    deployment = {"name": "a", "served_name": "b", "upstreams": ["h:1"]}
    plan = gateway_plan([deployment], port=443, names=["lab1"], taken_ports=[443])
    assert plan["servers"] == [{**deployment, "port": 443, "weight": 100}]
    assert "DNS:lab1" in plan["alternative_names"]
    assert len(plan["mistakes"]) == 1
