# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_report as load_report
from tests.unit.plugins.plugin_utils import load_samples as samples

GOOD = samples.recorded("closed_4")


def test_a_point_without_a_result_is_told() -> None:
    points = samples.points(samples.wishes(), GOOD)
    assert [one["problem"] for one in points] == ["", "the run ended before this point"]


def test_the_command_is_that_of_the_tool_alone() -> None:
    command = samples.points(samples.wishes(), GOOD)[0]["command"]
    assert command.startswith("vllm bench serve --backend openai --base-url https://gpu1 ")
    assert "docker" not in command and "key" not in command


def test_the_worst_verdict_counts() -> None:
    assert samples.document(None, GOOD, GOOD)["verdict"] == "pass"
    assert samples.document(None, GOOD, {"problem": "hung"})["verdict"] == "not_verified"
    assert samples.document(None, GOOD, samples.recorded("refused"))["verdict"] == "fail"


def test_a_slower_run_fails_by_the_gate() -> None:
    before = samples.document(None, GOOD, GOOD)
    slower = samples.faster(GOOD, 0.5)
    found = samples.document(samples.wishes(started="2026-11-23T00:00:00Z"), slower, slower, previous=before)
    assert found["verdict"] == "fail" and found["comparison"]["with"] == before["started"]
    assert found["counts"]["fail"] == 3


def test_the_document_is_plain_and_holds_no_path_of_a_key() -> None:
    found = samples.document()
    assert json.loads(json.dumps(found)) == found
    assert "/secrets/" not in json.dumps(found)


def test_what_acceptance_health_reads_is_there() -> None:
    found = samples.document()
    assert list(found["fleet"]) == ["deep gateway"]
    assert {one["node"] for one in found["statements"]} == {"deep gateway"}


def test_prompts_from_a_file_are_noted() -> None:
    wishes = samples.wishes(lengths=[{"name": "chats", "file": "/c.json"}])
    assert "prefix caching" in samples.document(wishes, GOOD, GOOD)["notes"][0]
    assert samples.document()["notes"] == []
    assert load_report.SCHEMA == 1
