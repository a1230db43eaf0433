# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gateway_models

GOOD: dict[str, t.Any] = {"name": "deepseek", "served_name": "deepseek-v3", "upstreams": ["127.0.0.1:8000"]}

DEPLOYMENTS = {
    "none": ([], "name at least one deployment"),
    "not a list": ({"name": "x"}, "name at least one deployment"),
    "not a dictionary": (["x"], "gateway_deployments[0]: must have name"),
    "no name": ([{**GOOD, "name": None}], "gateway_deployments[0].name"),
    "name that means something to HAProxy": ([{**GOOD, "name": "a b"}], "gateway_deployments[0].name"),
    "no served name": ([{**GOOD, "served_name": ""}], "gateway_deployments[0].served_name"),
    "served name that means something to HAProxy": ([{**GOOD, "served_name": "a'b"}], 'not "a\'b"'),
    "no upstream": ([{**GOOD, "upstreams": []}], "gateway_deployments[0].upstreams"),
    "upstream without a port": ([{**GOOD, "upstreams": ["10.0.0.1"]}], "not '10.0.0.1'"),
    "upstream that means something to HAProxy": ([{**GOOD, "upstreams": ["a:1 backup"]}], "not 'a:1 backup'"),
    "upstream port too large": ([{**GOOD, "upstreams": ["a:70000"]}], "not 'a:70000'"),
    "one name twice": ([GOOD, GOOD], "gateway_deployments[1].name: deepseek is used twice"),
}


@pytest.mark.parametrize(("deployments", "mistake"), DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_mistakes_in_deployments(deployments: t.Any, mistake: str) -> None:
    _servers, mistakes = _gateway_models.servers(deployments, 443, {}, {})
    assert len(mistakes) == 1
    assert mistake in mistakes[0]


@pytest.mark.parametrize(
    ("ports", "weights", "mistake"),
    [
        ({"deepseek": 0}, {}, "gateway_ports.deepseek: must be 1 to 65535"),
        ({"other": 1}, {}, "gateway_ports.other: no deployment has this name"),
        ({}, {"deepseek": 257}, "gateway_weights.deepseek: must be 0 to 256"),
        ({}, {"other": 1}, "gateway_weights.other: no deployment has this name"),
    ],
)
def test_mistakes_in_ports_and_weights(ports: dict[str, int], weights: dict[str, int], mistake: str) -> None:
    _servers, mistakes = _gateway_models.servers([GOOD], 443, ports, weights)
    assert len(mistakes) == 1
    assert mistake in mistakes[0]


def planned(*deployments: dict[str, t.Any], **ports: int) -> list[dict[str, t.Any]]:
    weights = {one["name"]: 0 for one in deployments if one["name"] == "b"}
    servers, mistakes = _gateway_models.servers(list(deployments), 443, ports, weights)
    assert mistakes == []
    return _gateway_models.models(servers, 10, 5)


REPLICA = {**GOOD, "name": "b", "upstreams": ["10.0.0.2:8000", "10.0.0.3:8000"]}


def test_deployments_of_one_name_are_replicas() -> None:
    [model] = planned(GOOD, REPLICA)
    assert model["replicas"] == [
        {"name": "deepseek", "address": "127.0.0.1:8000", "weight": 100},
        {"name": "b-0", "address": "10.0.0.2:8000", "weight": 0},
        {"name": "b-1", "address": "10.0.0.3:8000", "weight": 0},
    ]
    assert (model["is_spread"], model["most_requests"]) == (True, 35)


def test_an_own_port_is_a_model_of_its_own() -> None:
    models = planned(GOOD, {**REPLICA, "upstreams": ["h:1"]}, b=444)
    assert [(model["name"], model["port"], model["is_spread"]) for model in models] == [
        ("deepseek", 443, False),
        ("b", 444, False),
    ]


def test_a_replica_is_asked_for_one_token() -> None:
    [model] = planned(GOOD)
    question = json.loads(model["question"])
    assert (question["model"], question["max_tokens"]) == ("deepseek-v3", 1)


def test_the_list_of_models_holds_each_once() -> None:
    [listener] = _gateway_models.listeners(planned(GOOD, REPLICA, {**GOOD, "name": "c", "served_name": "org/c"}))
    listed = json.loads(listener["answer"])
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["deepseek-v3", "org/c"]
    assert json.loads(listener["models"][1]["listed"])["id"] == "org/c"


PAGE = {"name": "chat", "port": "8443", "upstream": "127.0.0.1:3000"}


def test_pages() -> None:
    assert _gateway_models.pages([PAGE]) == ([{**PAGE, "port": 8443}], [])


@pytest.mark.parametrize(
    ("pages", "mistake"),
    [
        ({}, "gateway_pages: must be a list"),
        ([{**PAGE, "name": "A"}], "gateway_pages[0].name"),
        ([{**PAGE, "port": None}], "gateway_pages[0].port"),
        ([{**PAGE, "upstream": "3000"}], "gateway_pages[0].upstream"),
        ([PAGE, PAGE], "gateway_pages[1].name: chat is used twice"),
    ],
)
def test_mistakes_in_pages(pages: t.Any, mistake: str) -> None:
    _pages, mistakes = _gateway_models.pages(pages)
    assert len(mistakes) == 1
    assert mistake in mistakes[0]
