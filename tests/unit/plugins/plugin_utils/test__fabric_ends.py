# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node brings to the fabric's measurement: the chosen HCAs, the right GID, an address."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric_ends

GIDS = [
    {"index": 0, "gid": "fe80:0000:0000:0000:0000:0000:0000:0001", "type": "IB/RoCE v1", "netdev": "eth0"},
    {"index": 1, "gid": "fe80:0000:0000:0000:0000:0000:0000:0001", "type": "RoCE v2", "netdev": "eth0"},
    {"index": 2, "gid": "0000:0000:0000:0000:0000:ffff:0a00:0001", "type": "IB/RoCE v1", "netdev": "eth0"},
    {"index": 3, "gid": "0000:0000:0000:0000:0000:ffff:0a00:0001", "type": "RoCE v2", "netdev": "eth0"},
]


def port(layer: str = "InfiniBand", rate: float | None = 400.0, gids: t.Sequence[t.Any] = ()) -> dict[str, t.Any]:
    return {"link_layer": layer, "rate_gbps": rate, "gids": list(gids)}


def node(**hcas: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "default_interface": "bond0",
        "interfaces": {"bond0": {"addresses": ["fd00::1", "10.0.0.1"]}, "eth9": {"addresses": ["192.0.2.1"]}},
        "rdma": {"hcas": {name: {"ports": ports, "numa_node": 1} for name, ports in hcas.items()}},
    }


def test_the_chosen_ones_in_their_order() -> None:
    found = _fabric_ends.end(
        node(mlx5_0={"1": port()}, mlx5_9={"1": port(), "2": port(rate=None)}), ["mlx5_9:2", "mlx5_0"]
    )
    assert found == {
        "address": "10.0.0.1",
        "interface": "bond0",
        "hcas": [
            {
                "name": "mlx5_9",
                "port": "2",
                "link_layer": "InfiniBand",
                "gbps": None,
                "gid_index": None,
                "numa_node": 1,
            },
            {
                "name": "mlx5_0",
                "port": "1",
                "link_layer": "InfiniBand",
                "gbps": 400.0,
                "gid_index": None,
                "numa_node": 1,
            },
        ],
        "problem": "",
        "gpus": 0,
        "why_no_gpus": "",
    }


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ("mlx5_7", "the node has no mlx5_7; it has mlx5_0"),
        ("mlx5_0:2", "the node has no mlx5_0:2; it has mlx5_0"),
    ],
)
def test_what_the_node_lacks_is_told(wanted: str, problem: str) -> None:
    found = _fabric_ends.end(node(mlx5_0={"1": port()}), [wanted])
    assert (found["hcas"], found["problem"]) == ([], problem)


@pytest.mark.parametrize("facts", [{}, {"rdma": None}, {"rdma": {}}])
def test_a_node_without_rdma(facts: dict[str, t.Any]) -> None:
    assert _fabric_ends.end(facts, ["rxe0"])["problem"] == "the node has no rxe0; it has no HCA"
    assert _fabric_ends.end(facts) == {
        "address": "",
        "interface": "",
        "hcas": [],
        "problem": "",
        "gpus": 0,
        "why_no_gpus": "",
    }


def test_gpus() -> None:
    found = _fabric_ends.end({"gpus": [{}, {}]}, why_no_gpus="no image")
    assert (found["gpus"], found["why_no_gpus"]) == (2, "no image")


@pytest.mark.parametrize(
    ("layer", "gids", "index"),
    [
        ("Ethernet", GIDS, 3),
        # Soft-RoCE has RoCE v2 only.
        ("Ethernet", [{**GIDS[1], "index": 0}, {**GIDS[3], "index": 1}], 1),
        ("Ethernet", GIDS[:2], 1),
        ("Ethernet", GIDS[:1], None),
        ("Ethernet", [], None),
        ("InfiniBand", GIDS, None),
    ],
)
def test_the_gid_of_roce(layer: str, gids: list[dict[str, t.Any]], index: int | None) -> None:
    found = _fabric_ends.end(node(rxe0={"1": port(layer, gids=gids)}), ["rxe0"])
    assert found["hcas"][0]["gid_index"] == index


def test_declared_values_win() -> None:
    found = _fabric_ends.end(node(rxe0={"1": port("Ethernet", gids=GIDS)}), ["rxe0"], 0, "192.0.2.1")
    assert (found["hcas"][0]["gid_index"], found["address"], found["interface"]) == (0, "192.0.2.1", "eth9")
    assert _fabric_ends.end(node(), [], address="192.0.2.9")["interface"] == ""
