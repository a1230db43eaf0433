# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RDMA in plans: who gets the HCAs, who does not, and what is refused."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_choice import choose
from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan import MistakesError, plan
from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan_fabric import lines
from ansible_collections.gpufleet.inference.plugins.plugin_utils._rdma_containers import needs
from tests.unit.plugins.plugin_utils import rdma_samples as samples
from tests.unit.plugins.plugin_utils.rdma_samples import Data, pairs
from tests.unit.plugins.plugin_utils.wishes import fleet

FILE = "/etc/topology.xml"


def on(rdma: Data, **wishes: t.Any) -> Data:
    """Return what the role says of a node."""
    choice = choose(rdma, wishes)
    return {"choice": choice, "containers": needs(choice, wishes)}


BOTH = {"one": on(pairs(2), topology_file=FILE), "two": on(pairs(2), topology_file=FILE)}
NOWHERE = {"one": on(samples.rdma({})), "two": on(samples.rdma({}))}


def planned(fabric: Data, devices: t.Sequence[str] = (), **deployment: t.Any) -> dict[str, t.Any]:
    wishes = fleet()
    ray = {**wishes.ray, "fabric": fabric, "devices": list(devices)}
    return plan(fleet(ray=ray, deployments=[{**wishes.deployments[0], **deployment}]))


def words(spec: Data) -> str:
    return " ".join(spec["container"]["run"])


@pytest.mark.parametrize("engine", ["vllm", "vllm_native", "sglang", "custom"])
def test_every_rank_of_several_nodes_gets_them(engine: str) -> None:
    more: Data = {"options": {"command": ["serve"]}} if engine == "custom" else {}
    more |= {"tensor_parallel": 2, "pipeline_parallel": 1} if engine == "sglang" else {}
    result = planned(BOTH, engine=engine, **more)
    for rank in result["deployments"][0]["ranks"]:
        said = words(rank["spec"])
        assert "--env NCCL_IB_HCA==mlx5_0:1,mlx5_1:1" in said
        assert "--device /dev/infiniband" in said
        assert f"--volume {FILE}:/run/gpufleet/nccl_topology.xml:ro" in said
        assert "exactly these" in rank["reasons"]["NCCL_IB_HCA"]


def test_ray_has_them_on_every_member_for_the_workers_are_the_engines() -> None:
    for member in planned(BOTH)["ray"]["members"].values():
        assert "--env NCCL_IB_HCA==mlx5_0:1,mlx5_1:1" in words(member["spec"])
        assert "--device /dev/infiniband" in words(member["spec"])
        assert f"--volume {FILE}:" in words(member["spec"])


@pytest.mark.parametrize("engine", ["vllm", "vllm_native"])
def test_a_deployment_on_one_node_needs_none(engine: str) -> None:
    result = planned(BOTH, engine=engine, nodes=["one"], pipeline_parallel=1)
    specs = [rank["spec"] for rank in result["deployments"][0]["ranks"]]
    specs += [member["spec"] for member in result["ray"]["members"].values()]
    assert [spec for spec in specs if "NCCL_IB" in words(spec) or "infiniband" in words(spec)] == []
    assert not any(line.startswith("between nodes") for line in result["explained"])


def test_nodes_without_hcas_are_planned_as_before() -> None:
    result = planned(NOWHERE)
    assert "NCCL_IB" not in words(result["deployments"][0]["ranks"][0]["spec"])
    assert result["explained"][-2:] == [
        "between nodes, one, two: no HCA",
        "  no RDMA device (/sys/class/infiniband): NCCL uses TCP between nodes",
    ]


def test_a_device_that_was_declared_too_is_given_once() -> None:
    result = planned(BOTH, devices=["/dev/infiniband", "/dev/gdrdrv"])
    said = result["deployments"][0]["ranks"][0]["spec"]["container"]["run"]
    assert [said[at + 1] for at, word in enumerate(said) if word == "--device"] == ["/dev/infiniband", "/dev/gdrdrv"]


def test_the_users_own_variable_wins() -> None:
    said = words(planned(BOTH, environment={"NCCL_IB_HCA": "=mlx5_1"})["deployments"][0]["ranks"][0]["spec"])
    assert "NCCL_IB_HCA==mlx5_1 " in said + " "
    assert "mlx5_0" not in said


def test_nodes_that_cannot_reach_each_other_are_refused() -> None:
    with pytest.raises(MistakesError) as error:
        planned({**BOTH, "two": NOWHERE["two"]})
    assert error.value.args[0][0].startswith("tiny: one would use RDMA and two would not")


def test_only_the_nodes_of_a_deployment_must_match() -> None:
    assert planned({**BOTH, "two": NOWHERE["two"]}, nodes=["one"], pipeline_parallel=1)["deployments"]


def test_tcp_can_be_asked_for() -> None:
    result = planned({name: on(pairs(2), used_by_engines=False) for name in ("one", "two")})
    said = words(result["deployments"][0]["ranks"][0]["spec"])
    assert "--env NCCL_IB_DISABLE=1" in said
    assert "infiniband" not in said


def test_nodes_that_choose_alike_share_their_lines() -> None:
    fabric = {"a": on(samples.reference_site()), "b": on(samples.reference_site()), "c": on(pairs(2)), "d": {}}
    found = lines(fabric, ["a", "b", "c", "d", "e"])
    assert [line for line in found if not line.startswith("  ")] == [
        "",
        "between nodes, a, b: mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1",
        "between nodes, c: mlx5_0:1,mlx5_1:1",
    ]
    assert "  mlx5_4: left out, 200 Gb/s where the others have 400" in found
    assert lines({}, ["a"]) == []
