# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.gpu_driver_plan import FilterModule
from ansible_collections.gpufleet.inference.tests.unit.plugins.plugin_utils.gpu_lock_samples import (
    candidates,
    node,
    wishes,
)

gpu_driver_plan = FilterModule().filters()["gpu_driver_plan"]


def test_it_returns_the_plan_before_and_after_asking() -> None:
    assert gpu_driver_plan(node("2329"), wishes())["complete"] is False
    assert gpu_driver_plan(node("2329"), wishes(), candidates("debian13"))["lock"]["driver"] == "580.126.20"
    # What Ansible hands over while nobody has asked.
    assert gpu_driver_plan(node("2329"), wishes(), None)["refusal"] == ""
