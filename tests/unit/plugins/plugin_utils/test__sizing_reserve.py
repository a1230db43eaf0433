# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sizing, _sizing_reserve
from tests.unit.plugins.plugin_utils import sizing_samples as samples

GIB = 1 << 30


def reserve(name: str, gib: float, crosses: bool = False, **more: t.Any) -> _sizing_reserve.Reserve:
    wish = samples.wish(**more).resolved(8192, int(gib * GIB))
    return _sizing_reserve.reserve(samples.model(name).shape, wish, int(gib * GIB), crosses)


@pytest.mark.parametrize(
    ("gib", "crosses", "tensor", "version", "outside"),
    [
        (79, False, 1, (0, 33), 0.15),
        (24, False, 2, (0, 10), 0.3),
        (79, False, 8, (0, 10), 1.4),
        (79, True, 16, (0, 10), 2.0),
        # Since 0.11 the account begins when NCCL has its part.
        (24, False, 2, (0, 11), 0.1),
        (79, False, 8, (0, 33), 0.1),
        (79, True, 16, (0, 33), 0.7),
    ],
)
def test_memory_outside_of_torch(
    gib: float, crosses: bool, tensor: int, version: tuple[int, int], outside: float
) -> None:
    found = reserve("llama-3.3-70b", gib, crosses, tensor=tensor, version=version).non_torch
    assert found / GIB == pytest.approx(outside, abs=0.001)


@pytest.mark.parametrize(
    ("more", "graphs"),
    [({}, True), ({"eager": True}, False), ({"version": (0, 20)}, False), ({"version": (0, 21)}, True)],
)
def test_graphs(more: dict[str, t.Any], graphs: bool) -> None:
    assert bool(reserve("llama-3.1-8b", 79, **more).graphs) is graphs


def test_graphs_are_of_the_layers_of_a_stage() -> None:
    assert reserve("llama-3.1-8b", 24).graphs == 32 * (14 << 20)
    assert reserve("qwen3-30b-a3b", 24, pipeline=2).graphs == 24 * (26 << 20)


#: What two H200 logged (vLLM 0.26, TP2): estimated before the capture, or captured.
@pytest.mark.parametrize(
    ("name", "layers", "logged"),
    [("deepseek-r1", 12, 2.23), ("deepseek-v2-lite", 27, 0.95), ("llama-3.3-70b", 80, 1.46)],
)
def test_graphs_hold_the_sums_of_attention(name: str, layers: int, logged: float) -> None:
    model = _sizing.model({"config": {**samples.config(name), "num_hidden_layers": layers}})
    wish = samples.wish(2).resolved(8192, int(139.8 * GIB))
    found = _sizing_reserve.reserve(model.shape, wish, int(139.8 * GIB), False).graphs
    assert found / GIB == pytest.approx(logged, abs=0.15)


def test_few_requests_need_small_graphs() -> None:
    many, few = (reserve("deepseek-r1", 139.8, tensor=8, sequences=number).graphs for number in (1024, 16))
    assert many - few == 32 * (512 - 16) * 16 * 512 * 4


#: Published: 5.58 GiB for 1024 sequences of 151,936 words, 1.40 for 256, both of releases that sorted.
@pytest.mark.parametrize(("gib", "peak"), [(139.8, 5.58), (23.53, 1.40)])
def test_peak_of_sorting(gib: float, peak: float) -> None:
    found = reserve("qwen3-8b-fp8", gib, version=(0, 10)).activation
    assert found / GIB == pytest.approx(peak, abs=0.07)


def test_vllm_asks_for_its_share_of_the_whole_gpu() -> None:
    assert reserve("llama-3.1-8b", 100, utilization=0.5).requested == 50 * GIB
    assert reserve("llama-3.1-8b", 100).requested == int(100 * GIB * 0.92)


#: Published: 2.02 GiB for a profile of 32,768 tokens of Qwen2.5-1.5B.
def test_peak_of_a_long_profile() -> None:
    found = reserve("qwen2.5-1.5b", 14.58, batched_tokens=32768, sequences=256).activation
    assert found / GIB == pytest.approx(2.02, abs=0.05)


def test_sampling_decides_for_many_sequences() -> None:
    few, many = (reserve("llama-3.1-8b", 79, sequences=count).activation for count in (16, 1024))
    assert many > few and many == 1024 * 128256 * 14 + 4096 * 8192 * 2


def test_data_parallel_attention_needs_much_more() -> None:
    """Published for wide data and expert parallelism: 36.7 GiB, against some four for tensor parallelism."""
    plain = reserve("deepseek-r1", 139.8, tensor=8).activation
    assert reserve("deepseek-r1", 139.8, data=16, expert=True).activation > 1.8 * plain


#: Logged by two H200 (vLLM 0.26, TP2) of the first twelve layers of DeepSeek-V3: 4.38 GiB without graphs, 5.43 with them and
#: CUTLASS, and with DeepGEMM 4.37 together with what is outside of torch.
def test_buffers_of_experts_are_kept_beside_those_of_attention() -> None:
    kept, free = (reserve("deepseek-r1", 139.8, tensor=2, version=version).activation for version in ((0, 26), (0, 25)))
    assert kept / GIB == pytest.approx(4.38, abs=0.15)
    # 8 experts for each of 8,192 tokens, twice 7,168 wide in 16 bits.
    assert kept - free == 2 * 8 * 8192 * 7168 * 2


def test_experts_of_other_engines_give_their_buffers_back() -> None:
    old, new = (
        reserve("deepseek-r1", 139.8, engine="tensorrt_llm", version=one).activation for one in ((0, 9), (0, 33))
    )
    assert old == new


@pytest.mark.parametrize(
    ("gib", "more", "fraction"),
    [
        # 512 + 8192 × 1.5 + 4 / 8 × 1024 + 512 × 2 of 81008 MiB
        (79.11, {"tensor": 4}, 0.823),
        (139.8, {"tensor": 8}, 0.896),
        # 512 + 2048 × 1.5 + 128 + 24 × 2 of 24064 MiB
        (23.5, {"tensor": 1}, 0.844),
        (139.8, {"tensor": 8, "speculative": True}, 0.882),
        # 512 + 2048 × 1.5 + 2048 + 1024 + 512 × 16 × 4.5 of 143155 MiB
        (139.8, {"tensor": 16, "data": 16}, 0.696),
    ],
)
def test_default_fraction_of_sglang(gib: float, more: dict[str, t.Any], fraction: float) -> None:
    wish = samples.wish(engine="sglang", **more).resolved(8192, int(gib * GIB))
    assert _sizing_reserve.sglang_fraction(wish, int(gib * GIB)) == pytest.approx(fraction, abs=0.001)


def test_sglang_keeps_activations_outside_of_its_fraction() -> None:
    found = reserve("llama-3.3-70b", 80, engine="sglang", tensor=4, utilization=0.5)
    assert found.overhead == 0 and found.requested == pytest.approx((80 - 0.5 - 1.4) * GIB / 2, abs=2)


def test_tensorrt_llm_takes_a_share_of_what_is_free_after_loading() -> None:
    wish = samples.wish(engine="tensorrt_llm").resolved(8192, 80 * GIB)
    found = _sizing_reserve.Reserve(80 * GIB, GIB, 2 * GIB, 0)
    assert _sizing_reserve.cache_bytes(wish, found, 7 * GIB) == int(70 * GIB * 0.9)
    assert _sizing_reserve.cache_bytes(wish, found, 90 * GIB) == -13 * GIB


def test_parts_are_plain_numbers() -> None:
    found = _sizing_reserve.parts(_sizing_reserve.Reserve(2 * GIB, GIB, GIB // 2, 0))
    assert found == {"requested_gib": 2.0, "non_torch_gib": 1.0, "activation_gib": 0.5, "graphs_gib": 0.0}
