# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment as the user writes it: defaults, and every mistake with its key."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import PLACEHOLDER, parse

ONE: dict[str, t.Any] = {"name": "r1", "model": "deepseek-r1"}
WHERE = "engine_deployments[0]"


def test_name_and_model_are_enough() -> None:
    deployment, mistakes = parse(ONE, WHERE)
    assert (deployment is not None, mistakes) == (True, [])
    assert deployment is not None
    assert dataclasses.asdict(deployment) == {
        "name": "r1",
        "model": "deepseek-r1",
        "served_name": "r1",
        "engine": "vllm",
        "image": "",
        "release": "",
        "nodes": (),
        "tensor_parallel": 1,
        "pipeline_parallel": 1,
        "data_parallel": 1,
        "gpus_per_node": 0,
        "port": 8000,
        "rendezvous_port": 29501,
        "supervisor_port": 29510,
        "forced_think": False,
        "concurrency": 0,
        "force": False,
        "ready_budget_seconds": 0,
        "options": {},
        "extra_args": (),
        "environment": {},
        "mounts": (),
    }


def test_every_key_is_taken_over() -> None:
    wish = {
        **ONE,
        "engine": "vllm",
        "served_name": "DeepSeek-R1",
        "nodes": ["one", "two"],
        "image": "engine:1",
        "release": "0.33.0",
        "tensor_parallel": 8,
        "pipeline_parallel": 2,
        "data_parallel": 3,
        "gpus_per_node": 8,
        "port": 8001,
        "rendezvous_port": 29555,
        "supervisor_port": 29556,
        "forced_think": True,
        "concurrency": 4,
        "force": True,
        "options": {"seed": 1},
        "extra_args": ["--max-log-len", 5],
        "environment": {"A": "b"},
        "mounts": ["/data:/data:ro"],
        "ready_budget_seconds": 60,
    }
    deployment, mistakes = parse(wish, WHERE)
    assert (deployment is not None, mistakes) == (True, [])
    assert deployment is not None
    expected = {**wish, "nodes": ("one", "two"), "extra_args": ("--max-log-len", "5"), "mounts": ("/data:/data:ro",)}
    assert dataclasses.asdict(deployment) == expected
    assert deployment.ranks == 48


def test_null_is_the_same_as_absent() -> None:
    assert parse({**ONE, "image": None, "nodes": None, "options": None}, WHERE) == parse(ONE, WHERE)


UNREADABLE: list[tuple[dict[str, t.Any], str]] = [
    ({"model": "m"}, "name: is missing; write a name such as deepseek-r1"),
    ({"name": "r1"}, "model: is missing; write the name of a model in model_store_models"),
    ({**ONE, "name": ""}, "name: is missing"),
    ({**ONE, "name": 1}, "name: 1 is not a name such as deepseek-r1"),
    ({**ONE, "engine": ["vllm"]}, "engine: ['vllm'] is not the name of an engine"),
    ({**ONE, "port": "8000"}, "port: '8000' is not a TCP port"),
    ({**ONE, "rendezvous_port": "x"}, "rendezvous_port: 'x' is not a TCP port"),
    ({**ONE, "release": 1}, "release: 1 is not the engine's release in the image, such as 0.33.0"),
    ({**ONE, "port": True}, "port: True is not a TCP port"),
    ({**ONE, "tensor_parallel": 2.0}, "tensor_parallel: 2.0 is not a whole number of GPUs"),
    ({**ONE, "pipeline_parallel": "2"}, "pipeline_parallel: '2' is not a whole number of stages"),
    ({**ONE, "ready_budget_seconds": "1h"}, "ready_budget_seconds: '1h' is not a number of seconds"),
    ({**ONE, "nodes": "one"}, "nodes: 'one' is not a list of inventory hostnames"),
    ({**ONE, "extra_args": "--seed 1"}, "extra_args: '--seed 1' is not a list of words"),
    ({**ONE, "mounts": {}}, "mounts: {} is not a list such as /data:/data:ro"),
    ({**ONE, "options": []}, "options: [] is not a mapping of engine options"),
    ({**ONE, "environment": ["A=b"]}, "environment: ['A=b'] is not a mapping of environment variables"),
]


@pytest.mark.parametrize(("wish", "expected"), UNREADABLE)
def test_what_cannot_be_read(wish: dict[str, t.Any], expected: str) -> None:
    deployment, [mistake] = parse(wish, WHERE)
    assert deployment is None
    assert mistake.startswith(f"{WHERE}.{expected}")


WRONG: list[tuple[dict[str, t.Any], str]] = [
    ({"gpus": 2}, "gpus: unknown key; known are concurrency, data_parallel, engine, environment, extra_args"),
    ({"name": "R1"}, "name: 'R1' may hold a-z, 0-9 and '-' only"),
    ({"name": "-r1"}, "name: '-r1' may hold"),
    ({"name": "r1-"}, "name: 'r1-' may hold"),
    ({"name": "r1\n"}, "name: 'r1\\n' may hold"),
    ({"name": "r_1"}, "name: 'r_1' may hold"),
    ({"name": "r" * 41}, "name: '" + "r" * 41 + "' may hold"),
    ({"tensor_parallel": 0}, "tensor_parallel: 0 must be 1 or more"),
    ({"pipeline_parallel": -1}, "pipeline_parallel: -1 must be 1 or more"),
    ({"port": 0}, "port: 0 is not a TCP port"),
    ({"port": 65536}, "port: 65536 is not a TCP port"),
]


@pytest.mark.parametrize(("changed", "expected"), WRONG)
def test_what_is_read_and_wrong(changed: dict[str, t.Any], expected: str) -> None:
    deployment, [mistake] = parse({**ONE, **changed}, WHERE)
    assert deployment is not None
    assert mistake.startswith(f"{WHERE}.{expected}")


@pytest.mark.parametrize("name", ["r", "r1", "deepseek-r1-0528", "7b", "r" * 40])
def test_good_names(name: str) -> None:
    assert parse({**ONE, "name": name}, WHERE)[1] == []


@pytest.mark.parametrize("port", [1, 65535])
def test_good_ports(port: int) -> None:
    assert parse({**ONE, "port": port}, WHERE)[1] == []


def test_all_mistakes_come_at_once() -> None:
    _deployment, mistakes = parse({"port": "x", "engine": 1, "gpus": 2}, WHERE)
    assert [one.split(":")[0].removeprefix(f"{WHERE}.") for one in mistakes] == [
        "gpus",
        "engine",
        "port",
        "name",
        "model",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CHANGE_ME", True),
        ("changeme", True),
        ("please-change-me-now", True),
        ("REPLACE_ME", True),
        ("your-token", True),
        ("Your Password", True),
        ("<your key>", True),
        ("xxxx-xxxx", True),
        ("9f8a7b6c5d4e", False),
        ("a < b", False),
    ],
)
def test_placeholders_of_the_examples(text: str, expected: bool) -> None:
    assert bool(PLACEHOLDER.search(text)) is expected
