# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.fabric_command import FilterModule


def test_a_group_that_cannot_meet_runs_nothing() -> None:
    fabric_command = FilterModule().filters()["fabric_command"]
    assert fabric_command({"problem": "one node", "nodes": []}, "n1", {})["argv"] == []
