# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_shape, _sizing_kv
from ansible_collections.gpufleet.inference.plugins.plugin_utils._parallel import Parallel
from ansible_collections.gpufleet.inference.plugins.plugin_utils._sizing_kv import Cache
from tests.unit.plugins.plugin_utils import sizing_samples as samples


#: Bytes of a token on one GPU; vLLM's own classes give 70272 for R1.
@pytest.mark.parametrize(
    ("name", "split", "kv_dtype", "layers", "expected"),
    [
        ("deepseek-r1", Parallel(tensor=8), "", 61, 70272),
        ("deepseek-r1", Parallel(tensor=1), "auto", 61, 70272),
        ("deepseek-r1", Parallel(tensor=8), "fp8_e4m3", 61, 35136),
        ("deepseek-r1", Parallel(tensor=8, pipeline=2), "", 31, 35712),
        ("kimi-k2.5", Parallel(tensor=8), "", 61, 70272),
        ("qwen3-235b-a22b-fp8", Parallel(tensor=4), "", 94, 48128),
        ("qwen3-235b-a22b-fp8", Parallel(tensor=16, expert=True), "", 94, 48128),
        ("llama-3.1-8b", Parallel(), "", 32, 131072),
        ("qwen1.5-7b", Parallel(), "", 32, 524288),
        ("qwen1.5-7b", Parallel(), "float32", 32, 1048576),
        ("tiny-qwen2", Parallel(tensor=2), "", 4, 1024),
        ("tiny-dsv3", Parallel(tensor=2), "", 4, 4608),
    ],
)
def test_bytes_of_a_token(name: str, split: Parallel, kv_dtype: str, layers: int, expected: int) -> None:
    assert _sizing_kv.cache(samples.model(name).shape, split, layers, kv_dtype).token_bytes == expected


def test_mla_that_is_switched_off_keeps_padded_heads() -> None:
    """Published for DeepSeek-V2-Lite without MLA's kernels: 16 heads of 256 for keys and values."""
    found = _sizing_kv.layer_bytes(samples.model("deepseek-v2-lite").shape, Parallel(), mla=False)
    assert found == 2 * 16 * 256 * 2


def test_sparse_attention_keeps_an_index_beside() -> None:
    config = {**samples.config("deepseek-r1"), "index_n_heads": 64, "index_head_dim": 128}
    shape = _model_shape.parse(config)
    assert _sizing_kv.layer_bytes(shape, Parallel()) == 576 * 2 + 132


def test_tokens_are_whole_blocks() -> None:
    assert Cache(10, 2, 0, 0).tokens(20 * 33, 100) == 32
    assert Cache(10, 2, 0, 0).tokens(-5, 100) == 0


def test_a_sequence_takes_whole_blocks() -> None:
    assert Cache(10, 2, 0, 0).sequence_bytes(17) == 20 * 32


def test_windowed_layers_stop_growing() -> None:
    cache = Cache(10, 1, 3, 64)
    assert cache.sequence_bytes(1024) - cache.sequence_bytes(512) == 10 * 512
    assert cache.tokens(cache.sequence_bytes(1024) * 2, 1024) == 2048


@pytest.mark.parametrize(("available", "longest"), [(10**9, 1000), (20 * 160, 160), (20 * 175, 160), (0, 0), (-9, 0)])
def test_longest_sequence(available: int, longest: int) -> None:
    assert Cache(10, 2, 0, 0).longest(available, 1000) == longest


def test_alternating_windows_of_gpt_oss() -> None:
    cache = _sizing_kv.cache(samples.model("gpt-oss-120b").shape, Parallel(), 36, "", 8192)
    assert (cache.full, cache.windowed, cache.window) == (18, 18, 128 + 8192)
