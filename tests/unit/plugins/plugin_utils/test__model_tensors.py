# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_tensors
from tests.unit.plugins.plugin_utils import sizing_samples as samples


#: ``total_size`` of the models' own indices; of R1, its files, which hold the vocabulary twice more for the draft layer.
@pytest.mark.parametrize(
    ("name", "published", "more"),
    [
        ("qwen2.5-7b", 15_231_233_024, 0),
        ("llama-3.3-70b", 141_107_412_992, 0),
        ("qwen3-30b-a3b", 61_064_245_248, 0),
        ("mixtral-8x7b", 93_405_585_408, 0),
        ("deepseek-r1", 688_586_727_753, 2 * 129280 * 7168 * 2),
    ],
)
def test_formula_against_published_sizes(name: str, published: int, more: int) -> None:
    assert samples.model(name).bytes + more == pytest.approx(published, rel=5e-5)


@pytest.mark.parametrize(
    ("module", "how"),
    [
        ("model.embed_tokens", "vocabulary"),
        ("lm_head", "vocabulary"),
        ("model.layers.*.self_attn.k_proj", "kv heads"),
        ("model.layers.*.self_attn.q_b_proj", "attention"),
        ("model.layers.*.self_attn.kv_a_proj_with_mqa", "replicated"),
        ("model.layers.*.self_attn.indexer.wq_b", "replicated"),
        ("model.layers.*.self_attn.q_norm", "replicated"),
        ("model.layers.*.mlp.gate", "replicated"),
        ("model.layers.*.mlp.gate_proj", "dense"),
        ("model.layers.*.mlp.shared_experts.down_proj", "dense"),
        ("model.layers.*.mlp.experts.*.down_proj", "expert"),
        ("model.layers.*.block_sparse_moe.experts.*.w1", "expert"),
        ("model.layers.*.mlp.experts.gate_up_proj_blocks", "expert"),
        ("visual.blocks.*.attn.qkv", "vision"),
        ("model.layers.*.input_layernorm", "replicated"),
    ],
)
def test_how_modules_are_split(module: str, how: str) -> None:
    assert _model_tensors.split(module) == how


def test_headers_lose_their_endings_and_keep_their_layers() -> None:
    groups = [
        {"name": "model.layers.*.mlp.up_proj.weight", "bytes": 8, "layers": [[0, 1], [3, 3]], "each": 1},
        {"name": "model.layers.*.mlp.up_proj.qzeros", "bytes": 2, "layers": [[0, 0]], "each": 1},
        {"name": "vision_tower.encoder.layers.*.fc1.weight", "bytes": 4, "layers": [[0, 2]], "each": 2},
        {"name": "model.layers.*.mlp.experts.gate_up_proj_blocks", "bytes": 3, "layers": [[0, 0]], "each": 1},
    ]
    first, zeros, vision, fused = _model_tensors.of_headers(groups)
    assert (first.module, first.layers, first.total) == ("model.layers.*.mlp.up_proj", (0, 1, 3), 24)
    assert zeros.module == first.module
    # The layers of a vision tower are none of the language model's.
    assert (vision.layers, vision.total) == ((), 24)
    assert fused.module.endswith("gate_up_proj_blocks")


def test_a_quantiser_may_leave_out_layers() -> None:
    found = {one.layers: one.bytes for one in samples.model("llama-3.1-405b-fp8").tensors if "up_proj" in one.module}
    assert found[(0, 125)] > found[tuple(range(1, 125))]


def test_tied_vocabularies_are_stored_once() -> None:
    modules = [one.module for one in samples.model("qwen2.5-0.5b").tensors]
    assert "model.embed_tokens" in modules and "lm_head" not in modules
