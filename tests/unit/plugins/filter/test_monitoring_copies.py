# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.monitoring_copies import FilterModule


def test_the_filter_hands_everything_on() -> None:
    (one,) = FilterModule().filters()["monitoring_copies"](["host"], "/d", "prometheus", {}, [])
    assert one["path"] == "/d/rules/host.yml"


def test_grafana_gets_dashboards_and_a_password() -> None:
    found = FilterModule().filters()["monitoring_copies"]([], "/d", "prometheus", {}, [], "/c/password")
    paths = {one["path"]: one for one in found}
    assert paths["/d/grafana/dashboards/slo.json"]["template_vars"]["__monitoring_source"] == "dashboards/slo.json"
    assert paths["/d/grafana/password"]["secret"] is True
