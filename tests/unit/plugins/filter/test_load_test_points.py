# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter import load_test_points
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_plan
from tests.unit.plugins.plugin_utils import load_samples as samples

points = load_test_points.FilterModule().filters()["load_test_points"]


def test_points_have_their_line() -> None:
    wishes = samples.wishes()
    planned = _load_plan.points(wishes, samples.NODE)
    found = points(planned, [samples.recorded("closed_4")], wishes["targets"])
    assert [one["load"] for one in found] == [1, 4]
    assert "351.5 tokens/s" in found[0]["line"]
    assert found[1]["line"] == "deep gateway, 32/12, 4 clients: not measured, the run ended before this point"
