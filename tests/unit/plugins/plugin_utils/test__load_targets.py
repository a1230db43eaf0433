# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_targets as load_targets


def plan(name: str) -> dict[str, t.Any]:
    return {
        "name": name,
        "served_name": f"{name}-served",
        "model_directory": f"/models/{name}",
        "nodes": ["n1", "n2"],
        "engine": "vllm",
        "image": "v:1",
        "tensor_parallel": 8,
        "pipeline_parallel": 2,
    }


DEPLOYMENTS = [plan("a"), plan("b")]
ENDPOINTS = [
    {"name": "a", "upstreams": ["127.0.0.1:8000"]},
    {"name": "b", "upstreams": ["10.0.0.2:8001", "10.0.0.3:8001"]},
]
GATEWAY = {"url": "https://gw", "api_keys_path": "/k", "ca_path": None}


def targets(**other: t.Any) -> list[dict[str, t.Any]]:
    given = {"gateway": GATEWAY, "wanted": [], "routes": ["gateway"], **other}
    return load_targets.targets(DEPLOYMENTS, ENDPOINTS, given["gateway"], given["wanted"], given["routes"])


def test_every_deployment_through_the_gateway() -> None:
    found = targets()
    assert [one["name"] for one in found] == ["a gateway", "b gateway"]
    assert found[0] == {
        "name": "a gateway",
        "deployment": "a",
        "route": "gateway",
        "url": "https://gw",
        "model": "a-served",
        "tokenizer": "/models/a",
        "api_keys_path": "/k",
        "ca_path": "",
        "facts": {"engine": "vllm", "image": "v:1", "tensor_parallel": 8, "pipeline_parallel": 2, "nodes": 2},
    }


def test_the_engine_itself_where_the_gateway_asks_it_without_a_key() -> None:
    (one,) = targets(wanted=["b"], routes=["engine"], gateway={})
    assert (one["url"], one["api_keys_path"], one["ca_path"]) == ("http://10.0.0.2:8001", "", "")


@pytest.mark.parametrize(
    ("url", "ported"),
    [
        ("https://gw", "https://gw:8443"),
        ("https://gw:444", "https://gw:8443"),
        ("https://[fd00::1]", "https://[fd00::1]:8443"),
    ],
)
def test_a_port_of_its_own(url: str, ported: str) -> None:
    found = targets(gateway={**GATEWAY, "url": url, "ports": {"b": 8443}})
    assert [one["url"] for one in found] == [url, ported]


@pytest.mark.parametrize("other", [{"wanted": ["c"]}, {"routes": ["tunnel"]}])
def test_unknown_names_are_refused(other: dict[str, t.Any]) -> None:
    with pytest.raises(ValueError, match=r"is neither a deployment \(a, b\) nor a route \(gateway, engine\)"):
        targets(**other)
