# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _model_info
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_tensors, _sizing_weights
from ansible_collections.gpufleet.inference.plugins.plugin_utils._model_tensors import Tensors
from ansible_collections.gpufleet.inference.plugins.plugin_utils._parallel import Parallel
from tests.unit.plugins.plugin_utils import sizing_samples as samples

GIB = 1 << 30


def gib(name: str, split: Parallel, speculative: bool = False) -> list[float]:
    model = samples.model(name)
    return [one.bytes / GIB for one in _sizing_weights.stages(model.shape, model.tensors, split, speculative)]


#: R1 on two nodes of eight: what TP, PP and experts do to one GPU.
@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (Parallel(tensor=8), [79.55]),
        (Parallel(tensor=16), [40.32]),
        (Parallel(tensor=8, pipeline=2), [38.26, 41.29]),
        (Parallel(tensor=1, data=16, expert=True), [57.77]),
        (Parallel("sglang", 16, 1, 16, True), [51.04]),
    ],
)
def test_r1(split: Parallel, expected: list[float]) -> None:
    assert gib("deepseek-r1", split) == pytest.approx(expected, abs=0.6)


def test_the_matrices_of_old_releases_are_larger() -> None:
    """Published for vLLM 0.7 at TP8: 83.88 GiB."""
    model = samples.model("deepseek-r1")
    found = _sizing_weights.stages(model.shape, model.tensors, Parallel(tensor=8), False, (0, 7))[0].bytes / GIB
    assert found == pytest.approx(83.88, rel=0.01)


def test_replicated_parts_do_not_shrink() -> None:
    model = samples.model("deepseek-r1")
    parts = [_sizing_weights.stages(model.shape, model.tensors, Parallel(tensor=ways))[0].parts for ways in (1, 8, 16)]
    assert parts[0]["replicated"] == parts[1]["replicated"] == parts[2]["replicated"] > GIB
    assert parts[0]["expert"] == pytest.approx(16 * parts[2]["expert"])


@pytest.mark.parametrize(("ways", "kept"), [(1, 1), (2, 1 / 2), (4, 1 / 4), (8, 1 / 4), (16, 1 / 4)])
def test_a_rank_keeps_at_least_one_kv_head(ways: int, kept: float) -> None:
    assert _sizing_weights.fraction("kv heads", samples.model("qwen3-30b-a3b").shape, Parallel(tensor=ways)) == kept


def test_experts_are_rounded_up_when_they_are_dealt_out() -> None:
    split = Parallel(tensor=1, data=7, expert=True)
    assert _sizing_weights.fraction("expert", samples.model("deepseek-r1").shape, split) == 37 / 256


def test_the_draft_layer_is_loaded_for_speculation_only() -> None:
    plain, drafting = gib("deepseek-r1", Parallel(tensor=8)), gib("deepseek-r1", Parallel(tensor=8), speculative=True)
    assert 1.2 < drafting[0] - plain[0] < 1.6


def test_the_draft_shares_the_vocabulary() -> None:
    shape = samples.model("deepseek-r1").shape
    tensors = [Tensors("model.layers.*.embed_tokens", GIB, (61,)), Tensors("mtp.layers.fc", GIB)]
    with_draft = _sizing_weights.stages(shape, tensors, Parallel(), True)[0].bytes
    assert with_draft - _sizing_weights.stages(shape, tensors, Parallel(), False)[0].bytes == GIB


@pytest.mark.parametrize(("name", "copies"), [("qwen2.5-0.5b", 2), ("qwen2.5-7b", 1)])
def test_a_tied_vocabulary_is_on_the_first_and_the_last_stage(name: str, copies: int) -> None:
    shape = samples.model(name).shape
    tensors = [Tensors("model.embed_tokens", GIB)]
    stages = _sizing_weights.stages(shape, tensors, Parallel(pipeline=2))
    assert sum(one.parts.get("vocabulary", 0) >= GIB for one in stages) == copies


def test_vision_is_on_the_first_stage() -> None:
    model = samples.model("qwen2.5-vl-7b")
    first, last = _sizing_weights.stages(model.shape, model.tensors, Parallel(pipeline=2))
    assert first.parts["vision"] > GIB and "vision" not in last.parts


def test_headers_and_formula_agree() -> None:
    """The names, shapes and types of a checkpoint of DeepSeek-V3, read as headers, give the weights of the formula."""
    model = samples.model("deepseek-r1")
    entries = {}
    for one in model.tensors:
        for layer in one.layers or (-1,):
            for each in range(one.each):
                name = one.module.replace("*", str(layer), 1).replace("*", str(each))
                ending = f"{each}.weight" if one.each == 2 else "weight"
                entries[f"{name}.{ending}"] = {"dtype": "U8", "shape": [one.bytes], "data_offsets": [0, one.bytes]}
    groups = _model_info.grouped(entries.items())
    assert len(entries) > 45_000 and len(groups) < 40
    tensors = _model_tensors.of_headers(groups)
    for split in (Parallel(tensor=16), Parallel(tensor=8, pipeline=2), Parallel(tensor=1, data=16, expert=True)):
        read, computed = (_sizing_weights.stages(model.shape, some, split) for some in (tensors, model.tensors))
        assert [one.bytes for one in read] == [one.bytes for one in computed]
