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
    active = {"state": "ACTIVE", "physical_state": "LinkUp"}
    return {**active, "link_layer": layer, "rate_gbps": rate, "gids": list(gids)}


DOWN = {**port(), "state": "DOWN", "physical_state": "Polling"}


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
                "trouble": "",
            },
            {
                "name": "mlx5_0",
                "port": "1",
                "link_layer": "InfiniBand",
                "gbps": 400.0,
                "gid_index": None,
                "numa_node": 1,
                "trouble": "",
            },
        ],
        "problem": "",
        "gpus": 0,
        "why_no_gpus": "",
    }


@pytest.mark.parametrize(
    ("wanted", "trouble"),
    [
        ("mlx5_7", "the node does not have it; it has mlx5_0, mlx5_1"),
        ("mlx5_0:2", "it has no port 2"),
        ("mlx5_1", "its port 1 is DOWN (Polling)"),
        ("mlx5_1:1", "look at cable"),
    ],
)
def test_what_cannot_take_part_keeps_its_place_and_says_why(wanted: str, trouble: str) -> None:
    found = _fabric_ends.end(node(mlx5_0={"1": port()}, mlx5_1={"1": DOWN}), [wanted, "mlx5_0"])["hcas"]
    assert [hca["name"] for hca in found] == [wanted.partition(":")[0], "mlx5_0"]
    assert trouble in found[0]["trouble"]
    assert (found[0]["gbps"], found[1]["trouble"]) == (None, "")
    assert _fabric_ends.live({"hcas": found}) == found[1:]


def test_of_several_ports_the_active_one_is_taken() -> None:
    (found,) = _fabric_ends.end(node(mlx5_0={"1": DOWN, "2": port()}), ["mlx5_0"])["hcas"]
    assert (found["port"], found["trouble"]) == ("2", "")


def test_mistakes_of_the_choice_are_its_problem() -> None:
    assert _fabric_ends.end({}, mistakes=["One.", "Two."])["problem"] == "One. Two."


@pytest.mark.parametrize("facts", [{}, {"rdma": None}, {"rdma": {}}])
def test_a_node_without_rdma(facts: dict[str, t.Any]) -> None:
    assert _fabric_ends.end(facts, ["rxe0"])["hcas"][0]["trouble"] == "the node does not have it; it has no HCA"
    assert _fabric_ends.end(facts) == {
        "address": "",
        "interface": "",
        "hcas": [],
        "problem": "",
        "gpus": 0,
        "why_no_gpus": "",
    }


def end_of(*names: str) -> dict[str, t.Any]:
    return {"hcas": [{"name": name, "trouble": ""} for name in names]}


@pytest.mark.parametrize(
    ("names", "aligned"),
    [
        (("a", "c"), ["a", "b", "c"]),
        (("c",), ["a", "b", "c"]),
        # What others do not have is no gap.
        (("a", "d"), ["a", "d"]),
        (("a", "c", "b"), ["a", "c", "b"]),
        ((), []),
    ],
)
def test_rails_behind_a_gap_stay_together(names: tuple[str, ...], aligned: list[str]) -> None:
    ends = {"n1": end_of(*names), "n2": end_of("a", "b", "c"), "n3": {}}
    found = _fabric_ends.aligned(ends)
    assert [hca["name"] for hca in found["n1"]["hcas"]] == aligned
    assert (found["n2"], found["n3"]) == (ends["n2"], {})
    added = [hca for hca in found["n1"]["hcas"] if hca["name"] not in names]
    assert all(hca["trouble"] == "the node does not have it, and n2 does" for hca in added)


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
