# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sizing_speed
from tests.unit.plugins.plugin_utils import sizing_samples as samples


def speed(name: str, concurrency: float = 1, gpus: int = 8, nodes: int = 1, **more: t.Any) -> float:
    where = samples.fleet("H200", gpus, nodes, gpu_gbs=4800.0)
    wish = samples.wish(context=8192, **more)
    return _sizing_speed.tokens_per_second(samples.model(name), wish, where, concurrency)


def test_one_request_reads_all_weights_of_a_dense_model() -> None:
    """15.0 GiB of weights and 0.5 GiB of cache at 60 % of 4800 GB/s."""
    seconds = (samples.model("llama-3.1-8b").bytes + 131072 * 4096) / (4800e9 * 0.6)
    assert speed("llama-3.1-8b") == pytest.approx(1 / seconds, rel=0.01)


@pytest.mark.parametrize(
    ("faster", "slower"),
    [
        ({"tensor": 8}, {"tensor": 1}),
        ({"tensor": 8}, {"tensor": 16, "nodes": 2}),
        ({"tensor": 8}, {"tensor": 4, "pipeline": 2}),
        ({"tensor": 8, "kv_dtype": "fp8"}, {"tensor": 8}),
    ],
)
def test_what_makes_one_request_faster(faster: dict[str, t.Any], slower: dict[str, t.Any]) -> None:
    assert speed("deepseek-r1", **faster) > speed("deepseek-r1", **slower)


def test_few_requests_touch_few_experts() -> None:
    dense_share = speed("deepseek-r1", tensor=8) / speed("deepseek-r1", 512, tensor=8) * 512
    assert dense_share > 5


def test_many_requests_gain_from_data_parallel_attention() -> None:
    wide, narrow = {"data": 8, "expert": True}, {"tensor": 8}
    assert speed("deepseek-r1", 512, **wide) > speed("deepseek-r1", 512, **narrow)
    assert speed("deepseek-r1", 1, **wide) < speed("deepseek-r1", 1, **narrow)
