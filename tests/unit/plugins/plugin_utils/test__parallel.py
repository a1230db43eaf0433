# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _parallel
from ansible_collections.gpufleet.inference.plugins.plugin_utils._parallel import Parallel
from tests.unit.plugins.plugin_utils import sizing_samples as samples


@pytest.mark.parametrize(
    ("layers", "count", "sizes"),
    [(61, 2, [31, 30]), (61, 4, [15, 15, 16, 15]), (61, 8, [7, 7, 8, 8, 8, 8, 8, 7]), (4, 1, [4]), (32, 4, [8] * 4)],
)
def test_stages_as_vllm_divides_them(layers: int, count: int, sizes: list[int]) -> None:
    found = _parallel.stages(layers, count)
    assert [len(one) for one in found] == sizes
    assert [at for one in found for at in one] == list(range(layers))


@pytest.mark.parametrize(
    ("split", "gpus", "attention", "expert", "text"),
    [
        (Parallel("vllm", 8, 2), 16, 8, 8, "TP8 PP2"),
        (Parallel("vllm", 1, 1, 16, True), 16, 1, 16, "TP1 DP16 EP16"),
        (Parallel("sglang", 16, 1, 2), 16, 8, 16, "TP16 DP2"),
        (Parallel("tensorrt_llm", 8, 1, 8, True), 8, 1, 8, "TP8 DP8 EP8"),
    ],
)
def test_ways(split: Parallel, gpus: int, attention: int, expert: int, text: str) -> None:
    assert (split.gpus, split.attention_ways, split.expert_ways, split.text()) == (gpus, attention, expert, text)


@pytest.mark.parametrize(
    ("name", "split", "said"),
    [
        ("qwen2.5-32b", {"tensor": 8}, ""),
        ("qwen2.5-32b", {"tensor": 5}, "5 neither divides the 8 KV heads"),
        ("qwen2.5-7b", {"tensor": 8}, "8 does not divide the 28 attention heads; 1, 2, 4, 7, 14, 28 do"),
        ("qwen2.5-7b", {"tensor": 7}, "KV heads"),
        (
            "qwen3-235b-a22b-fp8",
            {"tensor": 8},
            "1536 columns of an expert / 8 = 192, not whole blocks of 128; at most 4 ways",
        ),
        ("qwen3-235b-a22b-fp8", {"tensor": 8, "expert": True}, ""),
        ("deepseek-r1", {"tensor": 16}, ""),
        ("deepseek-r1", {"tensor": 32}, "2048 columns of an expert / 32 = 64"),
        ("deepseek-r1-bf16", {"tensor": 32}, ""),
        ("deepseek-r1", {"tensor": 1, "pipeline": 62}, "more than the 61 layers"),
        ("deepseek-r1", {"tensor": 1, "data": 512, "expert": True}, "512 ranks are more than the 256 experts"),
        ("deepseek-r1", {"engine": "sglang", "tensor": 8, "data": 3}, "does not divide tensor parallel 8"),
        ("deepseek-r1", {"engine": "sglang", "tensor": 32, "data": 32, "expert": True}, "columns of the shared expert"),
        ("gpt-oss-120b", {"tensor": 8}, ""),
        ("deepseek-r1-awq", {"tensor": 16}, ""),
        ("deepseek-r1-awq", {"tensor": 32}, "64, not whole groups of 128; at most 16 ways"),
        ("qwen3-14b-awq", {"tensor": 8}, ""),
        ("kimi-k2.5", {"tensor": 64}, ""),
        ("mixtral-8x7b", {"tensor": 3}, "14336 columns of an expert"),
        ("llama-3.1-8b", {"tensor": 2, "expert": True}, "has none"),
    ],
)
def test_divisibility(name: str, split: dict[str, t.Any], said: str) -> None:
    found = "; ".join(_parallel.mistakes(samples.model(name).shape, Parallel(**split)))
    assert said in found and bool(said) == bool(found)


def test_sglang_deals_out_whole_experts() -> None:
    found = _parallel.mistakes(samples.model("kimi-k2.5").shape, Parallel("sglang", 5, 1, 5, True))
    assert "5 does not divide the 384 experts" in found


@pytest.mark.parametrize(
    ("split", "nodes", "gpus", "said"),
    [
        (Parallel(tensor=8, pipeline=2), 2, 8, ""),
        (Parallel(tensor=16), 1, 8, "TP16 needs 16 GPUs, there are 1 × 8"),
        (Parallel(tensor=12), 5, 8, "12 ranks cannot be spread evenly over 5 nodes"),
        (Parallel(tensor=4), 3, 8, ""),
    ],
)
def test_layout_on_nodes(split: Parallel, nodes: int, gpus: int, said: str) -> None:
    assert "".join(_parallel.node_mistakes(split, nodes, gpus)) == said
