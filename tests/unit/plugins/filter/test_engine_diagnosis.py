# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter gives the merged cause and a text of it."""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.engine_diagnosis import FilterModule, engine_diagnosis


def test_a_cause_and_its_text() -> None:
    finding = {
        "name": "gpu-lost",
        "kind": "root",
        "cause": "a GPU has fallen off the bus",
        "fix": "power-cycle the node",
        "evidence": ["GPU is lost"],
        "time": "",
        "line": 0,
        "rank": 1,
        "from_address": "",
    }
    result = engine_diagnosis({"two": {"findings": [finding]}})
    assert (result["name"], result["node"], result["rank"]) == ("gpu-lost", "two", 1)
    assert result["text"].startswith("Cause (two, rank 1): a GPU has fallen off the bus.")
    assert FilterModule().filters() == {"engine_diagnosis": engine_diagnosis}


def test_nothing() -> None:
    assert engine_diagnosis({"one": {"findings": []}})["text"] == "no known cause stands in the logs of the ranks"
