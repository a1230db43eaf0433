# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _monitoring

NODES = {
    "n1": {"address": "10.0.0.1", "gpus": 8, "addresses": ["10.0.0.1"]},
    "n2": {"address": "10.0.0.2", "gpus": 0, "addresses": ["10.0.0.2"]},
}
PORTS = {
    "door": 9998,
    "node": 9100,
    "dcgm": 9400,
    "prometheus": 9090,
    "alertmanager": 9093,
    "blackbox": 9115,
    "grafana": 3000,
}
WISHES = {
    "server": "n1",
    "ports": PORTS,
    "dcgm": False,
    "gateway_ports": {},
}
VLLM = {"name": "r1", "engine": "vllm", "head": "n1", "listen_address": "127.0.0.1", "port": 8000}
TRTLLM = {
    "name": "t1",
    "engine": "tensorrt_llm",
    "head": "n2",
    "listen_address": "10.0.0.2",
    "port": 8001,
    "ranks": [{"files": {"config.json": '{"return_perf_metrics": true}'}}, {"files": {}}],
}
RAY = {
    "needed": True,
    "ports": {"metrics": 20006, "autoscaler_metrics": 20007, "dashboard_metrics": 20008},
    "members": {
        "n1": {"address": "10.0.0.1", "role": "head"},
        "n2": {"address": "10.0.0.2", "role": "worker"},
    },
}


def plan(fleet: t.Any = None, **wishes: t.Any) -> dict[str, t.Any]:
    return _monitoring.plan(NODES, fleet or {}, {**WISHES, **wishes})


def modules(found: dict[str, t.Any], node: str) -> dict[str, t.Any]:
    return found["doors"][node]["modules"]


def test_without_deployments_each_node_tells_of_itself() -> None:
    found = plan()
    assert found["mistakes"] == []
    assert modules(found, "n2") == {"node": {"address": "127.0.0.1", "port": 9100, "path": "/metrics"}}
    assert found["targets"] == {
        "node": [
            {"address": "10.0.0.1:9998", "labels": {"__param_module": "node", "node": "n1", "instance": "n1"}},
            {"address": "10.0.0.2:9998", "labels": {"__param_module": "node", "node": "n2", "instance": "n2"}},
        ]
    }
    assert found["expected"] == ["node/n1", "node/n2"]


def test_a_door_lets_in_prometheus_and_the_node_itself() -> None:
    assert plan()["doors"]["n2"]["allowed"] == ["10.0.0.1/32", "10.0.0.2/32"]
    assert plan()["doors"]["n1"]["allowed"] == ["10.0.0.1/32"]
    assert plan(server="")["doors"]["n1"]["allowed"] == []


def test_a_monitoring_node_of_its_own_is_let_in_from_all_its_addresses() -> None:
    hostvars: dict[str, dict[str, t.Any]] = {
        "n1": {"ansible_host": "node.example", "platform_node": {"interfaces": {"e": {"addresses": ["10.0.0.1"]}}}},
        "m": {
            "ansible_host": "192.0.2.9",
            "platform_node": {
                "interfaces": {
                    "lo": {"addresses": ["127.0.0.1", "::1"]},
                    "eth0": {"addresses": ["192.0.2.9", "fe80::1"]},
                    "eth1": {"addresses": ["10.0.0.9", "fd00::9"]},
                    "docker0": {"addresses": ["172.17.0.1"]},
                    "br-0123456789ab": {"addresses": ["172.18.0.1"]},
                }
            },
        },
    }
    found = _monitoring.plan(_monitoring.nodes_of(["n1", "m"], hostvars, {}), {}, {**WISHES, "server": "m"})
    assert found["mistakes"] == []
    asking = ["192.0.2.9/32", "10.0.0.9/32", "fd00::9/128"]
    assert found["doors"]["n1"]["allowed"] == [*asking, "10.0.0.1/32"]
    assert found["doors"]["m"]["allowed"] == asking


def test_doors_that_anyone_with_the_token_would_enter_are_a_mistake() -> None:
    nodes = _monitoring.nodes_of(["m"], {"m": {"ansible_host": "monitor.example"}}, {})
    (said,) = _monitoring.plan(nodes, {}, {**WISHES, "server": "m"})["mistakes"]
    assert "no address of m is known" in said and "ansible_host" in said


@pytest.mark.parametrize(
    ("engine", "files", "path"),
    [
        ("sglang", {}, "/metrics"),
        ("vllm_native", {}, "/metrics"),
        ("custom", {}, ""),
        ("tensorrt_llm", {"config.json": '{"return_perf_metrics": true}'}, "/prometheus/metrics"),
        ("tensorrt_llm", {"config.json": '{"return_perf_metrics": false}'}, ""),
        ("tensorrt_llm", {"config.json": "{}"}, ""),
        ("tensorrt_llm", {}, ""),
    ],
)
def test_an_engine_without_metrics_is_not_asked(engine: str, files: dict[str, str], path: str) -> None:
    deployment = {**VLLM, "engine": engine, "ranks": [{"files": files}]}
    assert _monitoring.engine_path(deployment) == path
    found = plan({"deployments": [deployment]})
    assert ("engine/r1" in found["expected"]) is bool(path)
    assert found["deployments"] == [{"name": "r1", "engine": engine}]


def test_an_engine_is_asked_where_it_listens_by_its_first_rank() -> None:
    found = plan({"deployments": [VLLM, TRTLLM]})
    assert modules(found, "n1")["engine_r1"] == {"address": "127.0.0.1", "port": 8000, "path": "/metrics"}
    assert modules(found, "n2")["engine_t1"] == {"address": "10.0.0.2", "port": 8001, "path": "/prometheus/metrics"}
    labels = found["targets"]["engine"][0]["labels"]
    assert labels == {
        "__param_module": "engine_r1",
        "node": "n1",
        "instance": "r1",
        "deployment": "r1",
        "engine_kind": "vllm",
    }
    assert found["deployments"] == [{"name": "r1", "engine": "vllm"}, {"name": "t1", "engine": "tensorrt_llm"}]


def test_cards_are_asked_where_there_are_some() -> None:
    assert [one["labels"]["node"] for one in plan(dcgm=True)["targets"]["dcgm"]] == ["n1"]
    assert "dcgm" not in plan()["targets"]


def test_ray_is_asked_when_it_is_needed() -> None:
    found = plan({"ray": RAY})
    assert modules(found, "n2")["ray"] == {"address": "10.0.0.2", "port": 20006, "path": "/metrics"}
    assert modules(found, "n1")["ray_dashboard"]["port"] == 20008
    assert "ray_dashboard" not in modules(found, "n2")
    assert "ray" not in plan({"ray": {**RAY, "needed": False}})["targets"]


def test_the_gateway_is_asked_when_it_tells_something() -> None:
    assert modules(plan(gateway_ports={"n2": 8404}), "n2")["gateway"]["port"] == 8404
    assert "gateway" not in plan(gateway_ports={"n2": 0})["targets"]


@pytest.mark.parametrize(
    ("addresses", "networks"),
    [
        (["10.0.0.1"], ["10.0.0.1/32"]),
        (["fd00::1"], ["fd00::1/128"]),
        (["monitor.example"], []),
        ([], []),
        (["a", "10.0.0.1"], ["10.0.0.1/32"]),
    ],
)
def test_doors_let_in_who_asks(addresses: list[str], networks: list[str]) -> None:
    assert _monitoring.networks(addresses) == networks


def test_an_ipv6_address_stands_in_brackets() -> None:
    found = _monitoring.plan({"n1": {"address": "fd00::1", "gpus": 0, "addresses": ["fd00::1"]}}, {}, WISHES)
    assert found["targets"]["node"][0]["address"] == "[fd00::1]:9998"


def test_addresses_come_from_the_plan_then_from_the_inventory() -> None:
    hostvars: dict[str, dict[str, t.Any]] = {
        "n1": {"ansible_host": "192.0.2.1", "platform_node": {"gpus": [{}, {}]}},
        "m": {"ansible_host": "192.0.2.9"},
        "x": {},
    }
    assert _monitoring.nodes_of(["n1", "m", "x"], hostvars, {"ray": RAY}) == {
        "n1": {"address": "10.0.0.1", "gpus": 2, "addresses": ["10.0.0.1"]},
        "m": {"address": "192.0.2.9", "gpus": 0, "addresses": ["192.0.2.9"]},
        "x": {"address": "x", "gpus": 0, "addresses": []},
    }


@pytest.mark.parametrize(
    ("wishes", "fleet", "said"),
    [
        ({"ports": {**PORTS, "door": 0}}, {}, "monitoring_ports.door: 0 is not a port"),
        ({"ports": {**PORTS, "node": 9998}}, {}, "monitoring_ports.node: 9998 is the port of monitoring_ports.door"),
        (
            {"ports": {key: port for key, port in PORTS.items() if key != "door"} | {"x": 1}},
            {},
            "monitoring_ports.door: is missing",
        ),
        ({"ports": {**PORTS, "loki": 3100}}, {}, "monitoring_ports.loki: unknown"),
        ({"ports": {**PORTS, "node": 8000}}, {"deployments": [VLLM]}, "8000 is the port of the deployment r1"),
        ({"ports": {**PORTS, "node": 20006}}, {"ray": RAY}, "20006 is the port of Ray's metrics"),
        ({"server": "n9"}, {}, "n9 is not among the nodes"),
    ],
)
def test_mistakes(wishes: t.Any, fleet: t.Any, said: str) -> None:
    found = _monitoring.mistakes(NODES, fleet, {**WISHES, **wishes})
    assert any(said in one for one in found), found
