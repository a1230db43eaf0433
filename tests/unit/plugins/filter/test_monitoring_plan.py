# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.monitoring_plan import FilterModule

PORTS = {
    "door": 9998,
    "node": 9100,
    "dcgm": 9400,
    "prometheus": 9090,
    "alertmanager": 9093,
    "blackbox": 9115,
    "grafana": 3000,
}


def test_the_filter_looks_up_addresses_and_plans() -> None:
    wishes = {"server": "n1", "ports": PORTS, "dcgm": False, "gateway_ports": {}}
    found = FilterModule().filters()["monitoring_plan"](["n1"], {"n1": {"ansible_host": "192.0.2.1"}}, {}, wishes)
    assert found["doors"]["n1"]["address"] == "192.0.2.1"
    assert found["doors"]["n1"]["allowed"] == ["192.0.2.1/32"]
