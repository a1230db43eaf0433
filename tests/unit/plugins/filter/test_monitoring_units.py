# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.monitoring_units import FilterModule
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _monitoring_units


def test_the_filter_hands_everything_on() -> None:
    node = {"distribution": "RedHat", "distribution_version": "9.4", "packages": {}, "units": {}, "listening": []}
    wishes = {
        **dict.fromkeys(("is_server", "dcgm", "grafana"), False),
        **{key: {} for key in ("node_packages", "server_packages", "slo", "deployment_slos", "mail")},
        **{key: [] for key in ("deployments", "receivers", "fleet_mistakes")},
        "state": "present",
        "gpu_access": "hook",
        "logs": "none",
        "ports": {"node": 9100, "door": 9998},
        "images": {"monitoring_dcgm_image": ""},
    }
    found = FilterModule().filters()["monitoring_units"](node, wishes)
    assert found == _monitoring_units.plan(node, wishes)
    assert "RedHat 9.4 carries no packages" in found["mistakes"][0]
