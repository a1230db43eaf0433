# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sizing_overview
from tests.unit.plugins.plugin_utils import sizing_samples as samples

H200 = {"name": "a", "gpus": 8, "gpu_gib": 139.8, "gpu_kind": "H200"}
R1 = {"name": "r1", "model": "r1", "tensor_parallel": 8, "options": {"max_model_len": 32768}}


def info(name: str) -> dict[str, t.Any]:
    return {"config": samples.config(name), "tensors": [], "bytes": 0}


def account(deployment: dict[str, t.Any], name: str = "deepseek-r1", **node: t.Any) -> dict[str, t.Any]:
    return _sizing_overview.account(deployment, info(name), [{**H200, **node}])


def test_what_fits_needs_no_change() -> None:
    found = account(R1)
    assert found["fits"] is True and found["nearest"] == [] and len(found["sentences"]) == 3
    assert _sizing_overview.refusals("r1", found) == []


def test_what_lacks_memory_is_refused_with_the_number_and_three_changes() -> None:
    found = account({**R1, "options": {}}, gpu_gib=95.0)
    (sentence,) = _sizing_overview.refusals("r1", found)
    assert f"each GPU lacks {-found['spare_gib']:.1f} GiB for one request of 163,840 tokens" in sentence
    assert all(f"({at}) " in sentence for at in (1, 2, 3)) and sentence.endswith("force: true starts it all the same.")


def test_force_lets_through_what_lacks_memory() -> None:
    assert _sizing_overview.refusals("r1", account(R1, gpu_gib=79.1), force=True) == []


@pytest.mark.parametrize("force", [False, True])
def test_an_impossible_split_is_refused_always(force: bool) -> None:
    found = _sizing_overview.account({**R1, "tensor_parallel": 32}, info("deepseek-r1"), [H200] * 4)
    (sentence,) = _sizing_overview.refusals("r1", found, force)
    assert (
        "TP32 is not possible" in sentence
        and "2048 columns" in sentence
        and "It would fit with (1) TP8 PP4" in sentence
    )


@pytest.mark.parametrize(
    ("config", "node", "said"),
    [
        ({}, H200, "num_hidden_layers"),
        (samples.config("deepseek-r1"), {"name": "a", "gpus": 8}, "memory are not known of a"),
        ({**samples.config("qwen2.5-7b"), "model_type": "jamba"}, H200, "no rate per token"),
    ],
)
def test_what_could_not_be_looked_at_is_not_refused(
    config: dict[str, t.Any], node: dict[str, t.Any], said: str
) -> None:
    found = _sizing_overview.account({**R1, "tensor_parallel": 4}, {"config": config}, [node])
    assert found["fits"] is None and said in found["problem"]
    assert _sizing_overview.refusals("r1", found) == []


def test_overview() -> None:
    deployments = [
        R1,
        {**R1, "name": "wide", "tensor_parallel": 16, "nodes": ["b", "c"]},
        {**R1, "name": "lost", "nodes": ["d"]},
        {**R1, "name": "forced", "nodes": ["t"], "force": True},
    ]
    nodes: dict[str, dict[str, t.Any]] = {"b": H200, "c": {**H200, "gpu_gib": 79.1}, "t": {"gpus": 8, "gpu_gib": 14.58}}
    found = _sizing_overview.overview(deployments, {"r1": info("deepseek-r1")}, nodes, concurrency=4)
    assert [one["fits"] for one in found["deployments"].values()] == [False, True, None, False]
    assert len(found["mistakes"]) == 1 and found["mistakes"][0].startswith("deployment r1: does not fit")
    assert "d" in found["deployments"]["lost"]["problem"]
    assert [line.split(" × ")[0] for line in found["table"][2:6]] == ["r1", "wide", "lost", "forced"]


def test_proposals() -> None:
    found = _sizing_overview.proposals(R1, info("deepseek-r1"), [H200])
    assert found["problem"] == "" and found["smallest"]["parallel"] == "TP8"
    assert _sizing_overview.proposals(R1, {}, [H200])["problem"]
