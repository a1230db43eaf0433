# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Ray cluster as data: ports, commands, and what each member's supervisor keeps running."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _ray
from ansible_collections.gpufleet.inference.plugins.plugin_utils._members import Member
from tests.unit.plugins.plugin_utils.wishes import PORTS, fleet

HEAD = Member("one", "10.0.0.1", "bond0", 8)
WORKER = Member("two", "10.0.0.2", "eth0", 4)


def ports(**changed: t.Any) -> dict[str, t.Any]:
    return {**PORTS, **changed}


MISTAKES: list[tuple[dict[str, t.Any], list[str]]] = [
    (PORTS, []),
    ({}, [f"ray_cluster_ports.{name}: is missing" for name in sorted(PORTS)]),
    (
        ports(redis=1),
        [
            "ray_cluster_ports.redis: unknown; known are gcs, dashboard, client, autoscaler_metrics, dashboard_metrics, node_manager"
        ],
    ),
    (ports(gcs="6379"), ["ray_cluster_ports.gcs: '6379' is not a port from 1024 to 65535"]),
    (ports(gcs=1023), ["ray_cluster_ports.gcs: 1023 is not a port"]),
    (ports(worker_max=65536), ["ray_cluster_ports.worker_max: 65536 is not a port"]),
    (ports(gcs=True), ["ray_cluster_ports.gcs: True is not a port"]),
    (ports(client=8265), ["ray_cluster_ports: dashboard and client are both 8265"]),
    (
        ports(client=6379, dashboard=6379),
        [
            "ray_cluster_ports: gcs and dashboard are both 6379",
            "ray_cluster_ports: gcs and client are both 6379",
            "ray_cluster_ports: dashboard and client are both 6379",
        ],
    ),
    (ports(metrics=20100), ["ray_cluster_ports.metrics: 20100 lies in the range of the workers"]),
    (ports(gcs=20999), ["ray_cluster_ports.gcs: 20999 lies in the range of the workers"]),
    (ports(worker_max=20149), ["ray_cluster_ports: the range of the workers must hold 50 ports or more"]),
    (ports(worker_max=20150), []),
    (ports(gcs=1024, worker_max=65535), []),
    (ports(worker_min=20999, worker_max=20100), ["ray_cluster_ports: the range of the workers must hold 50"]),
]


@pytest.mark.parametrize(("given", "expected"), MISTAKES)
def test_mistakes_of_ports(given: dict[str, t.Any], expected: list[str]) -> None:
    found = _ray.port_mistakes(given)
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


def test_every_port_is_in_the_list_for_the_firewall() -> None:
    assert _ray.port_list(PORTS) == [
        6379,
        8265,
        10001,
        20001,
        20002,
        20003,
        20004,
        20005,
        20006,
        20007,
        20008,
        "20100-20999",
    ]


MEMBERS_PORTS = [
    "--node-manager-port=20001",
    "--object-manager-port=20002",
    "--runtime-env-agent-port=20003",
    "--dashboard-agent-grpc-port=20004",
    "--dashboard-agent-listen-port=20005",
    "--metrics-export-port=20006",
    "--min-worker-port=20100",
    "--max-worker-port=20999",
]


def test_the_command_of_the_head() -> None:
    assert _ray.start_command(HEAD, HEAD, PORTS, 0.5) == [
        *("ray", "start", "--block", "--disable-usage-stats", "--node-ip-address=10.0.0.1"),
        *("--head", "--port=6379", "--ray-client-server-port=10001"),
        *("--dashboard-host=127.0.0.1", "--dashboard-port=8265", "--include-dashboard=true"),
        *("--num-gpus=8", "--object-store-memory=536870912", *MEMBERS_PORTS),
    ]


def test_the_command_of_a_worker() -> None:
    assert _ray.start_command(WORKER, HEAD, PORTS, 2) == [
        *("ray", "start", "--block", "--disable-usage-stats", "--node-ip-address=10.0.0.2"),
        *("--address=10.0.0.1:6379", "--num-gpus=4", "--object-store-memory=2147483648", *MEMBERS_PORTS),
    ]


def test_the_environment_pins_address_and_interface_and_has_reasons() -> None:
    reasoned = _ray.environment(WORKER, HEAD, PORTS)
    assert {name: value for name, (value, _why) in reasoned.items()} == {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": "/run/gpufleet/ray_token",
        "RAY_ADDRESS": "10.0.0.1:6379",
        "VLLM_HOST_IP": "10.0.0.2",
        "VLLM_RPC_BASE_PATH": "/tmp/ray",
        "GLOO_SOCKET_IFNAME": "eth0",
        "NCCL_SOCKET_IFNAME": "=eth0",
    }
    assert all(why for _value, why in reasoned.values())


def planned(**options: t.Any) -> dict[str, t.Any]:
    return _ray.plan([HEAD, WORKER], HEAD, PORTS, "engine:1", {**fleet().ray, **options})


def words_after(words: list[str], flag: str) -> list[str]:
    return [words[at + 1] for at, word in enumerate(words[:-1]) if word == flag]


def test_the_plan_of_a_cluster() -> None:
    plan = planned()
    assert (plan["head"], plan["head_address"], plan["ports"]) == ("one", "10.0.0.1", PORTS)
    assert plan["closed_ports"] == _ray.port_list(PORTS)
    shape = {name: (one["role"], one["address"], one["gpus"]) for name, one in plan["members"].items()}
    assert shape == {"one": ("head", "10.0.0.1", 8), "two": ("worker", "10.0.0.2", 4)}
    for one in plan["members"].values():
        assert (one["unit"], one["container"]) == ("gpufleet-ray.service", "gpufleet-ray")
        assert one["spec"]["container"]["name"] == "gpufleet-ray"
        assert set(one["reasons"]) >= {"RAY_AUTH_MODE", "GLOO_SOCKET_IFNAME"}


def test_workers_wait_for_the_head_and_the_head_for_nobody() -> None:
    specs = {name: one["spec"] for name, one in planned()["members"].items()}
    gcs = {"kind": "tcp", "address": "10.0.0.1", "port": 6379}
    assert specs["one"]["waits"] == []
    assert specs["two"]["waits"] == [gcs]
    for spec in specs.values():
        assert spec["ready"] == spec["alive"] == [{"kind": "process", "name": "raylet"}, gcs]
        assert all(pattern.startswith("/dev/shm/") for pattern in spec["sweep"])


def test_a_member_is_never_given_up() -> None:
    """Ray comes and goes with its head. More failures than fit into the window would be needed."""
    for one in planned()["members"].values():
        limit = one["spec"]["give_up"]
        delays = limit["delays_seconds"]
        assert delays == sorted(delays)
        assert limit["window_seconds"] / delays[-1] + len(delays) < limit["failures"]


def test_the_head_is_not_told_to_join() -> None:
    commands = {name: one["spec"]["container"]["run"] for name, one in planned()["members"].items()}
    joins = {name: "RAY_ADDRESS=10.0.0.1:6379" in words_after(words, "--env") for name, words in commands.items()}
    assert joins == {"one": False, "two": True}


def test_the_token_is_a_file_and_mounts_are_those_of_the_wish() -> None:
    words = planned()["members"]["two"]["spec"]["container"]["run"]
    assert words_after(words, "--volume") == [
        "/etc/gpufleet/ray_token:/run/gpufleet/ray_token:ro",
        "/var/lib/gpufleet/ray:/tmp/ray",
        "/models:/models:ro",
    ]


def test_the_environment_of_the_wish_wins() -> None:
    words = planned(environment={"NCCL_SOCKET_IFNAME": "=ib0", "EXTRA": "1"})["members"]["two"]["spec"]["container"][
        "run"
    ]
    env = words_after(words, "--env")
    assert {"NCCL_SOCKET_IFNAME==ib0", "EXTRA=1"} <= set(env)
    assert "NCCL_SOCKET_IFNAME==eth0" not in env


@pytest.mark.parametrize(
    ("wanted", "gpus", "expected"), [(True, 1, ["all"]), (True, 0, []), (False, 8, [])], ids=["yes", "none", "unwanted"]
)
def test_containers_get_gpus_where_there_are_some(wanted: bool, gpus: int, expected: list[str]) -> None:
    one = Member("one", "10.0.0.1", "eth0", gpus)
    plan = _ray.plan([one], one, PORTS, "engine:1", {**fleet().ray, "gpu_containers": wanted, "devices": ["/dev/x"]})
    words = plan["members"]["one"]["spec"]["container"]["run"]
    assert words_after(words, "--gpus") == expected
    assert words_after(words, "--device") == ["/dev/x"]


@pytest.mark.parametrize("may", [True, False])
def test_limits_are_raised_where_they_may_be(may: bool) -> None:
    one = Member("one", "10.0.0.1", "eth0", 1, raise_limits=may)
    words = _ray.plan([one], one, PORTS, "engine:1", fleet().ray)["members"]["one"]["spec"]["container"]["run"]
    assert ("memlock=-1" in words_after(words, "--ulimit")) is may


def test_what_an_outsider_must_not_reach() -> None:
    found = {(one["address"], one["port"]) for one in planned()["probes_from_outside"]}
    head = {("10.0.0.1", port) for port in (6379, 8265, 10001, 20007, 20008)}
    assert found == head | {(address, port) for address in ("10.0.0.1", "10.0.0.2") for port in (20001, 20005)}
    assert all(one["what"].startswith("Ray ") for one in planned()["probes_from_outside"])
