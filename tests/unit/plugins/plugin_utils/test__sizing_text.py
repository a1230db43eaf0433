# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sizing, _sizing_text
from tests.unit.plugins.plugin_utils import sizing_samples as samples


def told(name: str, where: _sizing.Fleet, **more: t.Any) -> list[str]:
    model, wish = samples.model(name), samples.wish(**more)
    return _sizing_text.sentences(model, wish, where, _sizing.size(model, wish, where))


def row(title: str, name: str, where: _sizing.Fleet, nearest: t.Sequence[str] = (), **more: t.Any) -> dict[str, t.Any]:
    result = _sizing.size(samples.model(name), samples.wish(**more), where)
    return {"title": title, "result": {**result, "nearest": list(nearest)}}


def test_the_account_in_sentences() -> None:
    account, rate, holds = told("deepseek-r1", samples.fleet("H200", 8), tensor=8, context=32768)
    assert account.startswith("of 139.80 GiB the engine takes 128.62 GiB - weights 79.5")
    assert "70,272 bytes" in rate and "MLA, not divided by TP" in rate
    assert "requests of 32,768 at once, or one of 163,840" in holds


def test_grouped_queries_name_their_heads() -> None:
    assert "GQA, 8 KV heads over 4" in told("llama-3.3-70b", samples.fleet("H100", 4), tensor=4)[1]


def test_sglang_has_one_share_for_weights_and_cache() -> None:
    account = told("llama-3.3-70b", samples.fleet("H100", 4), tensor=4, engine="sglang")[0]
    assert "activations" not in account and "- weights" in account


def test_unmet_wishes_are_said() -> None:
    found = told("deepseek-r1", samples.fleet("H200", 8), tensor=8, concurrency=64)
    assert found[-1] == "64 requests at once are wished: the others wait"
    assert "TP32 needs 32 GPUs, there are 1 × 8" in told("deepseek-r1", samples.fleet("H200", 8), tensor=32)
    assert told("tiny-qwen2", samples.fleet("H200", 8), pipeline=5) == ["pipeline parallel 5 is more than the 4 layers"]


def test_what_cannot_be_told_is_said() -> None:
    model = _sizing.model({"config": {**samples.config("qwen2.5-7b"), "model_type": "qwen3_next"}})
    where = samples.fleet("H100")
    found = _sizing_text.sentences(model, samples.wish(), where, _sizing.size(model, samples.wish(), where))
    assert found[-1].endswith("whether the context fits is not verified")


def test_windows_have_no_rate() -> None:
    assert not [one for one in told("gpt-oss-120b", samples.fleet("H100")) if "a token takes" in one]


BASE = {"mistakes": [], "fits": True, "tight": False, "spare_gib": 12.34}


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "yes, +12.3 GiB"),
        ({"fits": False, "spare_gib": -4.06}, "no, -4.1 GiB"),
        ({"tight": True, "spare_gib": 0.2}, "tight, +0.2 GiB"),
        ({"tight": True, "fits": False, "spare_gib": -0.2}, "no, -0.2 GiB"),
        ({"fits": None}, "not verified"),
        ({"fits": False, "mistakes": ["no"]}, "no, see below"),
    ],
)
def test_verdicts(more: dict[str, t.Any], text: str) -> None:
    assert _sizing_text.verdict({**BASE, **more}) == text


def test_the_table_keeps_to_its_width() -> None:
    rows = [
        row(
            "a deployment with a very long name × 16",
            "deepseek-r1",
            samples.fleet("H200", 8, 16),
            tensor=8,
            pipeline=16,
        ),
        row("wide", "deepseek-r1", samples.fleet("H200", 8, 16), data=128, expert=True),
        row("small", "qwen2.5-7b", samples.fleet("T4"), ["one change " * 30]),
        row("five", "qwen2.5-32b", samples.fleet("T4", 5), tensor=5),
        row("stages", "tiny-qwen2", samples.fleet("T4", 8), pipeline=5),
        {"title": "blind", "result": {"fits": None, "mistakes": [], "parallel": "-", "problem": "nobody looked"}},
    ]
    lines = _sizing_text.table(rows)
    assert all(len(line) <= 120 for line in lines), [line for line in lines if len(line) > 120]
    assert " ".join(lines[0].split()) == "model × nodes fits split weights KV KV tokens at once longest start"
    assert "TP8 PP16" in lines[2] and "163,840" in lines[2] and lines[2].endswith("min")
    assert "TP1 DP128 EP128" in lines[3]
    text = "\n".join(lines)
    assert "would fit with one change" in text and "8 KV heads" in text and "nobody looked" in text
