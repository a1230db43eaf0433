# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sizing, _sizing_advice
from tests.unit.plugins.plugin_utils import sizing_samples as samples


def nearest(name: str, where: _sizing.Fleet, **more: t.Any) -> list[str]:
    return _sizing_advice.nearest(samples.model(name), samples.wish(**more), where)


def proposals(name: str, where: _sizing.Fleet, **more: t.Any) -> dict[str, t.Any]:
    return _sizing_advice.proposals(samples.model(name), samples.wish(**more), where)


@pytest.mark.parametrize(
    ("name", "where", "more", "wanted"),
    [
        (
            "deepseek-r1",
            samples.fleet("H20", 8),
            {"tensor": 8},
            ["a context of 28,672 instead of 163,840", "int4 weights", "2 such nodes, TP8 PP2"],
        ),
        (
            "qwen2.5-7b",
            samples.fleet("T4"),
            {"context": 4096},
            ["int4 weights", "2 such nodes, TP1 PP2", "GPUs of 23.5 instead of 14.58"],
        ),
        (
            "deepseek-r1-bf16",
            samples.fleet("H20", 8, 2),
            {"tensor": 16},
            ["a context of 17,408 instead of 163,840", "weights in FP8", "int4 weights"],
        ),
        ("llama-3.1-8b", samples.fleet("T4", 8), {"tensor": 2}, ["a context of", "a KV cache in FP8", "TP4 on 4"]),
        (
            "qwen2.5-32b",
            samples.fleet("T4", 5),
            {"tensor": 5, "context": 8192},
            ["TP4 with a checkpoint with int4", "2 such nodes, TP4 PP2", "TP4 with GPUs of 23.5"],
        ),
        (
            "deepseek-r1",
            samples.fleet("H200", 8, 4),
            {"tensor": 32},
            ["TP8 PP4 on 32", "TP1 DP32 EP32 on 32", "of the GPUs"],
        ),
    ],
)
def test_changes_with_which_it_fits(name: str, where: _sizing.Fleet, more: dict[str, t.Any], wanted: list[str]) -> None:
    found = nearest(name, where, **more)
    assert len(found) == 3
    assert [want in one for want, one in zip(wanted, found, strict=True)] == [True] * 3, found


def test_fp8_is_not_proposed_where_there_is_none() -> None:
    assert not [
        one for one in nearest("llama-3.3-70b", samples.fleet("A100 80"), context=4096) if "weights in FP8" in one
    ]


@pytest.mark.parametrize(
    ("gib", "change"), [(17.8, "a KV cache in FP8"), (17.5, "0.95 of the GPU's memory instead of 0.92")]
)
def test_a_small_change_of_options_is_enough(gib: float, change: str) -> None:
    found = nearest("llama-3.1-8b", _sizing.Fleet(1, 1, gib), context=4096)
    assert [one for one in found[:2] if one.startswith(change)], found


def test_a_shorter_context_is_added_when_nothing_else_is_known() -> None:
    found = nearest("qwen2.5-32b", samples.fleet("T4", 5), tensor=5)
    assert [one for one in found if "and a context of 32,768 tokens" in one]


def test_splits_are_possible_on_the_nodes() -> None:
    model = samples.model("deepseek-r1")
    texts = [one.text() for one in _sizing_advice.splits(model, samples.fleet("H200", 8, 2), "vllm")]
    assert {"TP8", "TP16", "TP8 PP2", "TP1 DP8 EP8", "TP1 DP16 EP16"} <= set(texts)
    assert not [one for one in texts if one.startswith(("TP3", "TP5", "TP7", "TP9"))]
    custom = _sizing_advice.splits(model, samples.fleet("H200", 8, 2), "custom")
    assert custom and not [one for one in custom if one.data > 1]
    inside = _sizing_advice.splits(model, samples.fleet("H200", 8, 2), "sglang")
    assert "TP16 DP16 EP16" in [one.text() for one in inside]


def test_smallest_and_fastest() -> None:
    found = proposals("llama-3.3-70b", samples.fleet("A100 80", 8), context=65536, concurrency=16)
    assert (found["smallest"]["parallel"], found["fastest"]["parallel"]) == ("TP4", "TP8")
    assert found["smallest"]["why"].startswith("the fewest GPUs of 2 splits that fit: 4")
    assert "tokens/s for 16 requests" in found["fastest"]["why"]
    assert found["smallest"]["result"]["fits"] is True


def test_many_requests_are_served_by_data_parallel_attention() -> None:
    where = samples.fleet("H200", 8, 2)
    assert proposals("deepseek-r1", where, context=8192)["fastest"]["parallel"] == "TP8"
    fastest = proposals("deepseek-r1", where, context=8192, concurrency=256)["fastest"]
    assert (fastest["data_parallel"], fastest["expert_parallel"], fastest["gpus"]) == (16, True, 16)
    assert fastest["why"].endswith("; it needs engine: vllm_native")


def test_nothing_to_propose() -> None:
    assert proposals("deepseek-r1", samples.fleet("T4", 8)) == {"smallest": None, "fastest": None}


def test_the_smallest_crosses_nodes_by_stages() -> None:
    found = proposals("deepseek-r1", samples.fleet("H100", 8, 2), context=32768)["smallest"]
    assert found["gpus"] == 16 or found["pipeline_parallel"] == 2
