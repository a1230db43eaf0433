# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter reads the inventory's variables and hands plans or mistakes on as data."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.filter.deployment_plans import (
    FilterModule,
    deployment_plans,
    with_read,
)
from tests.unit.plugins.plugin_utils.wishes import facts, fleet

WISHES = fleet()


def host(address: str, **declared: t.Any) -> dict[str, t.Any]:
    """Return the variables of a node."""
    return {
        "platform_node": facts(address, gpus=1),
        "platform_name": "Debian_12",
        "platform_known": ["Debian_12"],
        **declared,
    }


HOSTS = {"one": host("10.0.0.1"), "two": host("10.0.0.2"), "elsewhere": {}}


def planned(**changed: t.Any) -> dict[str, t.Any]:
    options: dict[str, t.Any] = {
        "deployments": WISHES.deployments,
        "members": ["one", "two"],
        "hostvars": HOSTS,
        "models": WISHES.models,
        "images": WISHES.images,
        "ray": WISHES.ray,
        "gateway": WISHES.gateway,
        "texts": {},
        "directory": WISHES.directory,
    }
    return deployment_plans(**{**options, **changed})


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"deployment_plans": deployment_plans}


def test_a_good_fleet_is_planned() -> None:
    result = planned()
    assert result["mistakes"] == []
    assert set(result) == {"mistakes", "ray", "deployments", "endpoints", "table", "explained", "suspects"}
    assert [one["name"] for one in result["deployments"]] == ["tiny"]
    assert {name: one["address"] for name, one in result["ray"]["members"].items()} == {
        "one": "10.0.0.1",
        "two": "10.0.0.2",
    }


def test_declarations_of_a_node_are_read_from_its_variables() -> None:
    other = host("10.0.0.2", ray_cluster_gpus=3, ray_cluster_interface="ib0")
    other["platform_node"]["interfaces"]["ib0"] = {"addresses": ["10.1.0.2"]}
    other["platform_node"]["addresses"].append("10.1.0.2")
    result = planned(
        hostvars={**HOSTS, "two": other},
        deployments=[{**WISHES.deployments[0], "nodes": ["two"], "pipeline_parallel": 3}],
    )
    assert result["mistakes"] == []
    member = result["ray"]["members"]["two"]
    assert (member["address"], member["interface"], member["gpus"]) == ("10.1.0.2", "ib0", 3)
    [mistake] = planned(hostvars={**HOSTS, "two": host("10.0.0.2", ray_cluster_address="10.9.9.9")})["mistakes"]
    assert mistake.startswith("ray_cluster_address of two: the node does not have 10.9.9.9")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"deployments": [{"name": "tiny", "model": "big", "image": "engine:1"}]}, ["model: 'big' is not in"]),
        ({"texts": {"gateway_key": "CHANGE_ME"}}, ["gateway_key: 'CHANGE_ME' is a placeholder"]),
        (
            {"hostvars": {**HOSTS, "two": host("10.0.0.2", platform_name="")}},
            ["two: Debian 12.9 has no platform table"],
        ),
        ({"mistakes": {"one": ["gateway_port: 1 is wrong"], "two": []}}, ["one: gateway_port: 1 is wrong"]),
        ({"mistakes": {"one": ["disk: full"], "two": ["disk: full"]}}, ["disk: full"]),
        ({"members": []}, ["gpu_nodes: the group has no hosts"]),
        ({"members": [], "mistakes": {"one": ["x: first"]}}, ["x: first", "gpu_nodes: the group has no hosts"]),
        (
            {"images": {}, "mistakes": {"one": ["x: first"]}},
            ["x: first", "engine:1 is neither in", "engine:1 is neither in"],
        ),
    ],
)
def test_mistakes_are_data_and_there_is_no_plan(changed: dict[str, t.Any], expected: list[str]) -> None:
    result = planned(**changed)
    assert list(result) == ["mistakes"]
    for one in expected:
        assert any(one in mistake for mistake in result["mistakes"]), result["mistakes"]


def test_a_node_that_was_not_read_is_named() -> None:
    [mistake] = planned(members=["one", "elsewhere"])["mistakes"]
    assert mistake.startswith("elsewhere: was not read in this run")


def test_what_only_the_nodes_have_is_read_there() -> None:
    def said(**model: t.Any) -> dict[str, t.Any]:
        return {
            "__engine_read": {
                "models": {"tiny": {"config": {"a": 1}, "tensors": [], "bytes": 7, "problem": "", **model}}
            }
        }

    models = {"tiny": {"directory": "/m", "kind": "node", "config": None, "bytes": 0, "problem": ""}}
    hosts = {"one": said(), "two": said(), "three": {}}
    [tiny] = with_read(models, list(hosts), hosts).values()
    assert (tiny["config"], tiny["bytes"], tiny["problem"]) == ({"a": 1}, 7, "")
    assert models["tiny"]["config"] is None
    hosts["two"] = said(config={}, problem="/m has no readable config.json")
    [tiny] = with_read(models, list(hosts), hosts).values()
    assert tiny["problem"] == "two: /m has no readable config.json; put it there, or write source"
    sent = {"tiny": {**models["tiny"], "kind": "directory"}}
    assert with_read(sent, list(hosts), hosts) == sent
