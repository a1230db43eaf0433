# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _quantization
from ansible_collections.gpufleet.inference.plugins.plugin_utils._quantization import Quantization

BLOCK = {"quant_method": "fp8", "weight_block_size": [128, 128]}
GROUP = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}
WEIGHTS = {"num_bits": 4, "type": "int", "group_size": 32, "strategy": "group", "symmetric": True}
NVFP4 = {"num_bits": 4, "type": "float", "group_size": 16, "symmetric": True}
CHANNEL = {"num_bits": 8, "type": "float", "strategy": "channel"}


def compressed(weights: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": weights}}}


#: Bytes of a matrix of 256 × 1024: weights, scales, zero points.
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(BLOCK, 262144 + 2 * 8 * 4, id="block FP8"),
        pytest.param({"quant_method": "fp8"}, 262144 + 256 * 4, id="FP8 with a scale per row"),
        pytest.param({"quant_method": "fbgemm_fp8"}, 262144 + 256 * 4, id="fbgemm"),
        pytest.param(GROUP, 131072 + 2048 * 2 + 1024, id="AWQ"),
        pytest.param({"quant_method": "gptq", "bits": 4, "group_size": 128}, 131072 + 4096 + 1024, id="GPTQ"),
        pytest.param({"quant_method": "gptq", "bits": 8, "group_size": -1}, 262144 + 512 + 256, id="GPTQ, one group"),
        pytest.param(compressed(WEIGHTS), 131072 + 8192 * 2, id="compressed int4, symmetric"),
        pytest.param(compressed({**WEIGHTS, "symmetric": False}), 131072 + 16384 + 4096, id="compressed int4, zeros"),
        pytest.param(compressed(CHANNEL), 262144 + 512, id="compressed FP8"),
        pytest.param(compressed(NVFP4), 131072 + 16384, id="compressed NVFP4"),
        pytest.param({"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16}, 131072 + 16384, id="NVFP4"),
        pytest.param({"quant_method": "modelopt", "quant_algo": "FP8"}, 262144 + 1024, id="ModelOpt FP8"),
        pytest.param({"quant_method": "mxfp4"}, 131072 + 8192, id="MXFP4"),
        pytest.param({"quant_method": "w8a8_int8"}, 262144 + 1024, id="INT8"),
        pytest.param({"quant_method": "bitsandbytes", "load_in_4bit": True}, 131072 + 4096, id="bitsandbytes"),
    ],
)
def test_bytes_of_a_matrix(raw: dict[str, t.Any], expected: int) -> None:
    assert _quantization.parse({"quantization_config": raw}).matrix_bytes(256, 1024) == expected


@pytest.mark.parametrize("config", [{}, {"quantization_config": {}}, {"quantization_config": None}])
def test_no_quantisation_covers_nothing(config: dict[str, t.Any]) -> None:
    assert not _quantization.parse(config).covers("model.layers.0.mlp.up_proj")


@pytest.mark.parametrize("raw", [{"quant_method": "aqlm"}, {"quant_method": "modelopt", "quant_algo": "W3"}])
def test_unknown_methods_are_named(raw: dict[str, t.Any]) -> None:
    with pytest.raises(ValueError, match=r"the bytes of (aqlm|W3) are not known"):
        _quantization.parse({"quantization_config": raw})


@pytest.mark.parametrize(
    ("skipped", "module", "covered"),
    [
        ((), "model.layers.3.mlp.up_proj", True),
        ((), "model.embed_tokens", False),
        ((), "lm_head", False),
        ((), "model.layers.3.mlp.gate", False),
        ((), "model.layers.3.input_layernorm", False),
        (("model.layers.3.mlp.up_proj",), "model.layers.3.mlp.up_proj", False),
        (("model.layers.3",), "model.layers.31.mlp.up_proj", True),
        (("model.layers.3",), "model.layers.3.mlp.up_proj", False),
        (("self_attn.kv_a_proj_with_mqa",), "model.layers.0.self_attn.kv_a_proj_with_mqa", False),
        (("*self_attn*",), "model.layers.0.self_attn.q_proj", False),
        (("model.layers.*.self_attn",), "model.layers.0.self_attn.q_proj", False),
        (("re:.*shared_experts.*",), "model.layers.0.mlp.shared_experts.up_proj", False),
        (("re:.*shared_experts.*",), "model.layers.0.mlp.experts.0.up_proj", True),
    ],
)
def test_exceptions(skipped: tuple[str, ...], module: str, covered: bool) -> None:
    assert Quantization("fp8", 8, skipped=skipped).covers(module) is covered


def test_exceptions_of_modelopt_are_read() -> None:
    raw = {"quant_method": "modelopt", "quantization": {"quant_algo": "FP8", "exclude_modules": ["lm_head", "a.b"]}}
    assert not _quantization.parse({"quantization_config": raw}).covers("a.b.c")
