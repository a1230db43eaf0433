# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sizing_wish
from ansible_collections.gpufleet.inference.plugins.plugin_utils._parallel import Parallel
from tests.unit.plugins.plugin_utils import sizing_samples as samples

GIB = 1 << 30


#: What vLLM 0.32 and SGLang 0.5 take when nothing is said: sequences (or the largest graph), tokens of a batch.
@pytest.mark.parametrize(
    ("engine", "tensor", "gib", "kind", "sequences", "tokens"),
    [
        ("vllm", 1, 24, "", 256, 2048),
        ("vllm", 1, 79.1, "H100", 1024, 8192),
        ("vllm", 1, 79.1, "NVIDIA A100-SXM4-80GB", 256, 2048),
        ("vllm", 1, 178, "B200", 1024, 16384),
        ("sglang", 8, 139.8, "", 512, 8192),
        ("sglang", 1, 79.1, "", 256, 8192),
        ("sglang", 4, 44, "", 160, 4096),
        ("sglang", 1, 24, "", 24, 2048),
        ("sglang", 8, 178, "", 512, 16384),
    ],
)
def test_defaults(engine: str, tensor: int, gib: float, kind: str, sequences: int, tokens: int) -> None:
    found = samples.wish(tensor, engine=engine).resolved(4096, int(gib * GIB), kind)
    assert (found.sequences, found.batched_tokens, found.context) == (sequences, tokens, 4096)


def test_own_values_stay() -> None:
    found = samples.wish(context=100, sequences=3, batched_tokens=5).resolved(4096, 80 * GIB)
    assert (found.context, found.sequences, found.batched_tokens) == (100, 3, 5)


def test_old_releases_profile_the_whole_context() -> None:
    found = samples.wish(version=(0, 7), context=32768).resolved(4096, 80 * GIB)
    assert (found.sequences, found.batched_tokens) == (256, 32768)


def test_data_parallel_attention_divides_the_chunk_of_sglang() -> None:
    assert samples.wish(8, engine="sglang", data=8).resolved(1, 139 * GIB).batched_tokens == 1024


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        ({"max_model_len": 8192}, "context", 8192),
        ({"context_length": 8192}, "context", 8192),
        ({"max_seq_len": 8192}, "context", 8192),
        ({"gpu_memory_utilization": 0.8}, "utilization", 0.8),
        ({"mem_fraction_static": 0.8}, "utilization", 0.8),
        ({"kv_cache_dtype": "fp8"}, "kv_dtype", "fp8"),
        ({"max_num_seqs": 5}, "sequences", 5),
        ({"chunked_prefill_size": 5}, "batched_tokens", 5),
        ({"quantization": "fp8"}, "quantization", "fp8"),
        ({"enforce_eager": True}, "eager", True),
        ({"speculative_config": "{}"}, "speculative", True),
        ({"config": {"kv_cache_config": {"dtype": "fp8"}}}, "kv_dtype", "fp8"),
        ({"config": {"kv_cache_config": {"free_gpu_memory_fraction": 0.8}}}, "utilization", 0.8),
        ({"config": {"max_seq_len": 8192}}, "context", 8192),
        ({"config": {"speculative_config": {"decoding_type": "MTP"}}}, "speculative", True),
        ({"config": {"moe_config": {"backend": "CUTLASS"}}}, "kv_dtype", ""),
    ],
)
def test_options_of_engines(options: dict[str, t.Any], field: str, value: t.Any) -> None:
    assert getattr(_sizing_wish.of_deployment({"options": options}), field) == value


@pytest.mark.parametrize(
    ("deployment", "split"),
    [
        ({}, Parallel()),
        ({"tensor_parallel": 8, "pipeline_parallel": 2}, Parallel("vllm", 8, 2)),
        ({"engine": "sglang", "tensor_parallel": 8, "options": {"attn_dp_size": 2}}, Parallel("sglang", 8, 1, 2)),
        ({"data_parallel": 16, "options": {"enable_expert_parallel": True}}, Parallel("vllm", 1, 1, 16, True)),
        ({"tensor_parallel": 8, "options": {"ep_size": 1}}, Parallel("vllm", 8)),
        (
            {
                "engine": "tensorrt_llm",
                "tensor_parallel": 8,
                "options": {"ep_size": 4, "config": {"enable_attention_dp": True}},
            },
            Parallel("tensorrt_llm", 8, 1, 8, True),
        ),
        ({"data_parallel": 4, "expert_parallel": True}, Parallel("vllm", 1, 1, 4, True)),
    ],
)
def test_splits(deployment: dict[str, t.Any], split: Parallel) -> None:
    assert _sizing_wish.of_deployment(deployment).parallel == split


@pytest.mark.parametrize(
    ("image", "engine", "version"),
    [
        ("docker.io/vllm/vllm-openai:v0.11.2", "vllm", (0, 11)),
        ("docker.io/vllm/vllm-openai@sha256:ab", "vllm", (0, 33)),
        ("docker.io/lmsysorg/sglang:v0.5.23", "sglang", (0, 33)),
        ("", "vllm", (0, 33)),
    ],
)
def test_the_release_is_read_from_the_image(image: str, engine: str, version: tuple[int, int]) -> None:
    assert _sizing_wish.of_deployment({"image": image, "engine": engine}).version == version


@pytest.mark.parametrize(("value", "mla"), [("1", False), ("0", True), (None, True)])
def test_mla_may_be_switched_off(value: str | None, mla: bool) -> None:
    assert _sizing_wish.of_deployment({"environment": {"VLLM_MLA_DISABLE": value}}).mla is mla


def test_concurrency_of_a_deployment_goes_first() -> None:
    assert _sizing_wish.of_deployment({"concurrency": 3}, 9).concurrency == 3
    assert _sizing_wish.of_deployment({}, 9).concurrency == 9
