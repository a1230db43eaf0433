# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_shape
from tests.unit.plugins.plugin_utils import sizing_samples as samples

LEAST = {"num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": 8}


def shape(**more: t.Any) -> _model_shape.Shape:
    return _model_shape.parse({**LEAST, **more})


@pytest.mark.parametrize(
    ("name", "attention", "moe", "shared"),
    [
        ("deepseek-r1", "mla", 58, 2048),
        ("kimi-k2.5", "mla", 60, 2048),
        ("deepseek-v2-lite", "mla", 26, 2816),
        ("qwen2.5-7b", "gqa", 0, 0),
        ("qwen1.5-7b", "mha", 0, 0),
        ("qwen3-30b-a3b", "gqa", 48, 0),
        ("mixtral-8x7b", "gqa", 32, 0),
        ("gpt-oss-120b", "gqa", 36, 0),
    ],
)
def test_public_models(name: str, attention: str, moe: int, shared: int) -> None:
    found = samples.model(name).shape
    assert (found.attention, len(found.moe_layers), found.shared_intermediate) == (attention, moe, shared)


def test_the_text_part_of_a_vision_model_decides() -> None:
    found = samples.model("kimi-k2.5").shape
    assert (found.family, found.layers, found.heads, found.experts) == ("kimi_k2", 61, 64, 384)
    assert found.quantization.group == 32
    assert found.vision is not None and found.vision.layers == 27


def test_widths_of_qwen_vision() -> None:
    found = samples.model("qwen2.5-vl-7b").shape.vision
    assert found is not None and (found.hidden, found.merged, found.out, found.gated) == (1280, 5120, 3584, True)


def test_multi_query() -> None:
    assert shape(num_key_value_heads=1).attention == "mqa"
    assert shape(multi_query_group_num=2, kv_channels=32).head_dim == 32


@pytest.mark.parametrize(
    ("more", "moe"),
    [
        ({"decoder_sparse_step": 2}, (1, 3)),
        ({"mlp_only_layers": [0, 2]}, (1, 3)),
        ({"first_k_dense_replace": 3}, (3,)),
        ({"moe_layer_freq": 2}, (0, 2)),
        ({"moe_layer_freq": [0, 1, 1, 1]}, (0, 1, 2, 3)),
    ],
)
def test_layers_with_experts(more: dict[str, t.Any], moe: tuple[int, ...]) -> None:
    assert shape(num_experts=8, moe_intermediate_size=32, **more).moe_layers == moe


@pytest.mark.parametrize(
    ("more", "windowed"),
    [
        ({"sliding_window": 128, "layer_types": ["sliding_attention", "full_attention"] * 2}, 2),
        ({"sliding_window": 128, "use_sliding_window": False}, 0),
        ({"sliding_window": 128, "model_type": "mistral"}, 4),
        ({"sliding_window": None, "model_type": "mistral"}, 0),
        ({"sliding_window": 128, "model_type": "gemma2"}, 2),
        ({"sliding_window": 128, "model_type": "gemma3_text", "sliding_window_pattern": 4}, 3),
    ],
)
def test_windows(more: dict[str, t.Any], windowed: int) -> None:
    assert shape(**more).windowed == windowed


@pytest.mark.parametrize(
    "more",
    [
        {"layer_types": ["linear_attention", "full_attention"] * 2},
        {"model_type": "qwen3_next"},
        {"model_type": "deepseek_v4"},
        {"linear_attn_config": {"kda_layers": [1]}},
    ],
)
def test_layers_with_a_state_have_no_rate(more: dict[str, t.Any]) -> None:
    assert "no rate per token" in shape(**more).unsized


@pytest.mark.parametrize("key", LEAST)
def test_what_is_no_decoder_is_refused(key: str) -> None:
    with pytest.raises(_model_shape.ShapeError, match=key):
        _model_shape.parse({name: value for name, value in LEAST.items() if name != key})


def test_experts_without_a_number_are_refused() -> None:
    with pytest.raises(_model_shape.ShapeError, match="has experts, but none of"):
        shape(moe_intermediate_size=32)


def test_unknown_quantisation_is_refused() -> None:
    with pytest.raises(_model_shape.ShapeError, match="aqlm"):
        shape(quantization_config={"quant_method": "aqlm"})


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("torch.bfloat16", 2), ("unheard_of", 2)])
def test_bytes_of_an_element(dtype: str, size: int) -> None:
    assert shape(torch_dtype=dtype).dtype_bytes == size
