# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merging: the best kind, then the earliest, then the lowest rank; relayed lines and absent ranks with a plan."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._diagnosis_of_group import diagnose, sentence

PLAN = {
    "addresses": {"one": "10.0.0.1", "two": "10.0.0.2"},
    "ranks": [
        {"rank": 0, "node": "one", "container": "rank0", "unit": "r1.service"},
        {"rank": 1, "node": "two", "container": "rank1", "unit": "r1.service"},
    ],
}
SEEN = [{"container": "rank0", "state": {}}, {"container": "rank1", "state": {"running": True}}]


def finding(name: str, **changed: t.Any) -> dict[str, t.Any]:
    plain = {"kind": "root", "cause": f"{name} happened", "fix": "mend it", "evidence": [name], "time": "", "line": 0}
    return {"name": name, **plain, "rank": 0, "from_address": "", **changed}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"kind": "root", "time": "3"}, {"kind": "suspect", "time": "1"}),
        ({"kind": "suspect"}, {"kind": "symptom"}),
        ({"kind": "symptom"}, {"kind": "consequence"}),
        ({"time": "2026-11-22T04:10:00Z"}, {"time": "2026-11-22T04:10:01Z"}),
        ({"time": "2026-11-22T04:10:00Z"}, {"time": ""}),
        ({"rank": 0}, {"rank": 1}),
        ({"line": 4}, {"line": 5}),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_first_error_wins(one: dict[str, t.Any], other: dict[str, t.Any], turned: bool) -> None:
    both = [finding("first", **one), finding("second", **other)]
    nodes = {"one": {"findings": both[turned:] + both[:turned]}}
    verdict = diagnose(nodes)
    assert verdict["name"] == "first"
    assert [each["name"] for each in verdict["also"]] == ["second"]


def test_the_same_cause_on_other_ranks_is_told_once() -> None:
    verdict = diagnose({"one": {"findings": [finding("x"), finding("x", rank=1)]}})
    assert (verdict["name"], verdict["also"]) == ("x", [])


def test_a_note_is_no_cause() -> None:
    verdict = diagnose({"one": {"findings": [finding("n", kind="note")]}})
    assert verdict["cause"] == "" and [each["name"] for each in verdict["also"]] == ["n"]


def test_a_relayed_line_is_told_of_the_node_that_it_comes_from() -> None:
    nodes = {"one": {"findings": [finding("x", from_address="10.0.0.2")], "ranks": SEEN}}
    assert diagnose(nodes)["node"] == "one"
    assert diagnose(nodes, {**PLAN, "ranks": []})["node"] == "two"
    nodes["one"]["findings"][0]["from_address"] = "10.9.9.9"
    assert diagnose(nodes, {**PLAN, "ranks": []})["node"] == "one"


def test_a_rank_that_nobody_saw() -> None:
    verdict = diagnose({"one": {"findings": [], "ranks": SEEN}}, PLAN)
    assert (verdict["name"], verdict["node"], verdict["rank"]) == ("rank-absent", "one", 0)
    assert "rank 0 has no container on one" in verdict["cause"]


def test_a_text_for_the_terminal() -> None:
    verdict = diagnose({"one": {"findings": [finding("x", evidence=["a", "b"]), finding("y", kind="symptom", rank=3)]}})
    assert sentence(verdict).splitlines() == [
        "Cause (one, rank 0): x happened.",
        "What to do: mend it.",
        "The lines that show it:",
        "  | a",
        "  | b",
        "Also seen (one, rank 3): y happened.",
    ]
