# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_shape, _sizing
from tests.unit.plugins.plugin_utils import sizing_samples as samples


def size(name: str, where: _sizing.Fleet, **more: t.Any) -> dict[str, t.Any]:
    return _sizing.size(samples.model(name), samples.wish(**more), where)


def test_the_account_adds_up() -> None:
    found = size("llama-3.3-70b", samples.fleet("H100", 4), tensor=4, context=32768)
    aside = sum(value for key, value in found["reserve"].items() if key != "requested_gib")
    assert found["fits"] is True and found["mistakes"] == []
    assert found["reserve"]["requested_gib"] - found["weights_gib"] - aside == pytest.approx(found["kv_gib"], abs=0.02)
    assert (
        found["kv_tokens"] == found["kv_gib"] * (1 << 30) // 81920 // 16 * 16
        or abs(found["kv_tokens"] * 81920 / (1 << 30) - found["kv_gib"]) < 0.01
    )
    assert found["concurrency"] == round(found["kv_tokens"] / 32768, 2)
    assert found["spare_gib"] == pytest.approx(found["kv_gib"] - 32768 * 81920 / (1 << 30), abs=0.02)


def test_the_fullest_stage_decides() -> None:
    found = size("deepseek-r1", samples.fleet("H100", 8, 2), tensor=8, pipeline=2, context=8192)
    assert [one["layers"] for one in found["stages"]] == [31, 30]
    assert found["weights_gib"] == max(one["weights_gib"] for one in found["stages"])
    alone = size("deepseek-r1", samples.fleet("H100", 16), tensor=16, context=8192)
    assert found["kv_bytes_per_token"] == 70272 // 61 * 30 < alone["kv_bytes_per_token"] == 70272


def test_data_parallel_ranks_add_their_caches() -> None:
    where = samples.fleet("H200", 8)
    together, apart = size("deepseek-r1", where, tensor=8), size("deepseek-r1", where, data=8, expert=True)
    assert apart["kv_tokens"] > 3 * together["kv_tokens"]
    assert apart["longest_context"] <= samples.model("deepseek-r1").shape.context


def test_speculation_costs_weights_and_cache() -> None:
    plain, drafting = (
        size("deepseek-r1", samples.fleet("H200", 8), tensor=8, speculative=spec) for spec in (False, True)
    )
    assert drafting["weights_gib"] > plain["weights_gib"]
    assert drafting["kv_bytes_per_token"] == plain["kv_bytes_per_token"] // 61 * 62


def test_an_impossible_split_never_fits() -> None:
    found = size("deepseek-r1", samples.fleet("H200", 8, 4), tensor=32)
    assert found["fits"] is False and found["mistakes"] and found["spare_gib"] > 0 and not found["tight"]


def test_more_stages_than_layers_are_not_computed() -> None:
    found = size("tiny-qwen2", samples.fleet("H200", 8), pipeline=5)
    assert found["fits"] is False and "weights_gib" not in found


def test_what_has_no_rate_is_not_verified() -> None:
    config = {**samples.config("qwen2.5-7b"), "model_type": "qwen3_next"}
    model = _sizing.model({"config": config})
    found = _sizing.size(model, samples.wish(), samples.fleet("H100"))
    assert found["fits"] is None and found["kv_tokens"] is None and "no rate" in found["unsized"]
    assert _sizing.size(model, samples.wish(), samples.fleet("T4"))["fits"] is False


def test_weights_that_the_engine_makes_smaller() -> None:
    where = samples.fleet("H100")
    plain, small = size("llama-3.1-8b", where), size("llama-3.1-8b", where, quantization="fp8")
    assert small["weights_gib"] == pytest.approx(plain["weights_gib"] * 0.57, rel=0.02)
    assert size("qwen3-8b-fp8", where, quantization="fp8") == size("qwen3-8b-fp8", where)


@pytest.mark.parametrize(("context", "tight"), [(2048, False), (32000, True), (34000, True), (120000, False)])
def test_near_the_edge_it_says_so(context: int, tight: bool) -> None:
    assert size("deepseek-r1", samples.fleet("H20", 8), tensor=8, context=context)["tight"] is tight


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("qwen2.5-7b", "Tesla T4", "no bfloat16"),
        ("deepseek-r1", "NVIDIA A100-SXM4-80GB", "no FP8 arithmetic"),
        ("qwen2.5-vl-7b", "H100", "buffers for images"),
        ("deepseek-r1", "H100", ""),
        ("qwen2.5-7b", "A100", ""),
    ],
)
def test_notes(name: str, kind: str, said: str) -> None:
    found = " ".join(_sizing.notes(samples.model(name).shape, kind))
    assert said in found and bool(said) == bool(found)


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({}, 45 + 45 + 688),
        ({"read_gbs": 10.0}, 45 + 45 + 68),
        ({"warm": False}, 45 + 45 + 300 + 688),
    ],
)
def test_time_of_a_start(more: dict[str, t.Any], seconds: int) -> None:
    model = _sizing.model({"config": samples.config("deepseek-r1"), "bytes": 688_586_727_753})
    found = _sizing.size(model, samples.wish(8), samples.fleet("H200", 8, **more))
    assert found["start_seconds"] == seconds and found["load_gib"] == 641.3


def test_a_stage_reads_its_layers_only() -> None:
    one, two = (
        size("deepseek-r1", samples.fleet("H200", 8, nodes), tensor=8, pipeline=nodes)["load_gib"] for nodes in (1, 2)
    )
    assert two == pytest.approx(one / 2, abs=0.1)
    assert size("deepseek-r1", samples.fleet("H200", 8, 2), tensor=16)["load_gib"] == one


NODE = {"name": "a", "gpus": 8, "gpu_gib": 139.8, "gpu_kind": "H200"}


def test_the_poorest_node_decides() -> None:
    found = _sizing.fleet([NODE, {"name": "b", "gpus": 4, "gpu_gib": 79.1, "gpu_kind": "H100", "read_gbs": 2.0}])
    assert found == _sizing.Fleet(2, 4, 79.1, "H100", 3000.0, 2.0)


@pytest.mark.parametrize("nodes", [[], [NODE, {"name": "b", "gpus": 8}], [NODE, {"name": "b", "gpu_gib": 8}]])
def test_unknown_gpus_are_said(nodes: list[dict[str, t.Any]]) -> None:
    with pytest.raises(_model_shape.ShapeError, match=r"no nodes|not known of b"):
        _sizing.fleet(nodes)


def test_headers_go_before_the_formula() -> None:
    tensors = [{"name": "model.layers.*.mlp.up_proj.weight", "bytes": 1 << 30, "layers": [[0, 27]], "each": 1}]
    model = _sizing.model({"config": samples.config("qwen2.5-7b"), "tensors": tensors})
    found = _sizing.size(model, samples.wish(2), samples.fleet("H100", 2))
    assert found["weights_gib"] == pytest.approx(14, abs=0.02) and model.bytes == 28 << 30
