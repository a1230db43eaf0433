# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gets which GPUs, and what cannot be dealt."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_ledger import deal, mistakes
from ansible_collections.gpufleet.inference.plugins.plugin_utils._members import Member

MEMBERS = {name: Member(name, f"10.0.0.{at}", "eth0", 8) for at, name in enumerate(("a", "b"), 1)}


def one(name: str, engine: str, nodes: str = "ab", per_node: int = 0, **more: t.Any) -> Deployment:
    """Return a deployment with as many ranks as GPUs, unless told otherwise."""
    sizes = {"tensor_parallel": per_node or 8, "pipeline_parallel": len(nodes), **more}
    return Deployment(name, "m", engine, nodes=tuple(nodes), gpus_per_node=per_node, **sizes)


@pytest.mark.parametrize(
    ("deployments", "dealt", "left"),
    [
        ([], {}, {"a": range(8), "b": range(8)}),
        ([one("r", "vllm")], {}, {"a": range(8), "b": range(8)}),
        ([one("s", "sglang")], {("s", "a"): range(8), ("s", "b"): range(8)}, {"a": [], "b": []}),
        (
            [one("s", "sglang", "a", 4), one("n", "vllm_native", "ab", 4)],
            {("s", "a"): range(4), ("n", "a"): range(4, 8), ("n", "b"): range(4)},
            {"a": [], "b": range(4, 8)},
        ),
        # Ray gets what its engines take of what is left, wherever they stand in the list, and deals it out by itself.
        (
            [one("r", "vllm", "ab", 2), one("s", "sglang", "a", 4), one("q", "vllm", "a", 2)],
            {("s", "a"): range(4)},
            {"a": range(4, 8), "b": range(2)},
        ),
        ([one("r", "vllm", "a")], {}, {"a": range(8), "b": []}),
    ],
)
def test_gpus_are_dealt(deployments: list[Deployment], dealt: dict[t.Any, t.Any], left: dict[str, t.Any]) -> None:
    assert mistakes(deployments, MEMBERS) == []
    assert deal(deployments, MEMBERS) == (
        {key: list(value) for key, value in dealt.items()},
        {key: list(value) for key, value in left.items()},
    )


@pytest.mark.parametrize(
    ("deployments", "expected"),
    [
        ([one("r", "vllm", tensor_parallel=16)], "= 32 ranks, but its 2 nodes have 16 GPUs for it"),
        ([one("r", "vllm", tensor_parallel=3, pipeline_parallel=1)], "cannot be spread evenly over 2 nodes"),
        ([one("r", "vllm", tensor_parallel=4)], "use all of them, name fewer nodes, or set gpus_per_node: 4"),
        ([one("r", "vllm", per_node=9)], "gpus_per_node 9 is more than these nodes have: a (8), b (8)"),
        (
            [one("r", "vllm", "a"), one("s", "sglang", "ab", 4)],
            "a has 8 GPUs, and 12 are wanted (r 8, s 4); set gpus_per_node of these deployments",
        ),
    ],
)
def test_what_cannot_be_dealt_is_named(deployments: list[Deployment], expected: str) -> None:
    [mistake] = mistakes(deployments, MEMBERS)
    assert expected in mistake


def test_a_node_without_gpus_is_named() -> None:
    [mistake] = mistakes([one("r", "vllm")], {**MEMBERS, "b": Member("b", "10.0.0.2", "eth0", 0)})
    assert mistake.startswith("deployment r: no GPU is seen on b; ")
