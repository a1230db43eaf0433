# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter import load_test_plan
from tests.unit.plugins.plugin_utils import load_samples as samples

plan = load_test_plan.FilterModule().filters()["load_test_plan"]


def test_a_plan_has_points_and_what_makes_runs_comparable() -> None:
    found = plan(samples.NODE, samples.wishes())
    assert found["mistakes"] == [] and len(found["points"]) == 2
    assert found["sweep"]["concurrency"] == [1, 4]
    assert found["leftover"] == ""


def test_mistakes_leave_no_points() -> None:
    found = plan(samples.NODE, samples.wishes(targets=[]))
    assert found["points"] == [] and len(found["mistakes"]) == 1


def test_the_container_of_a_run_that_was_cut_off_is_named() -> None:
    node = {"docker": {**samples.NODE["docker"], "containers": {"gpufleet-load-test": {"state": "running"}}}}
    assert plan(node, samples.wishes())["leftover"] == "gpufleet-load-test"
