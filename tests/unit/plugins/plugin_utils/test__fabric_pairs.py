# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who meets whom and when: everyone once, nobody twice at once, and never one who cannot."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric_pairs


def hca(name: str, **other: t.Any) -> dict[str, t.Any]:
    own = {"port": "1", "link_layer": "InfiniBand", "gbps": 400.0, "gid_index": None, "numa_node": 0, "trouble": ""}
    return {"name": name, **own, **other}


def ends(nodes: int, hcas: int = 1) -> dict[str, dict[str, t.Any]]:
    own = [hca(f"mlx5_{number}") for number in range(hcas)]
    return {f"n{number}": end(f"10.0.0.{number}", own) for number in range(1, nodes + 1)}


def end(address: str, hcas: list[dict[str, t.Any]], problem: str = "") -> dict[str, t.Any]:
    return {"address": address, "hcas": hcas, "problem": problem}


@pytest.mark.parametrize("nodes", [2, 3, 4, 5, 8, 9])
def test_everyone_meets_everyone_once_and_nobody_is_twice_in_a_round(nodes: int) -> None:
    names = [f"n{number}" for number in range(nodes)]
    found = _fabric_pairs.rounds(names)
    met = [frozenset(pair) for one in found for pair in one]
    assert len(met) == len(set(met)) == nodes * (nodes - 1) // 2
    for one in found:
        busy = [name for pair in one for name in pair]
        assert len(busy) == len(set(busy))


@pytest.mark.parametrize(
    ("nodes", "hcas", "most_rounds", "at_once", "waves", "pairs"),
    [
        (2, 4, 0, 0, 4, 4),
        (4, 1, 0, 0, 3, 6),
        (4, 2, 0, 0, 6, 12),
        (8, 1, 2, 0, 2, 8),
        # Four pairs a round, two at once.
        (8, 1, 1, 4, 2, 4),
        # An odd number of forks serves the pairs that fit.
        (8, 1, 1, 5, 2, 4),
    ],
)
def test_waves(nodes: int, hcas: int, most_rounds: int, at_once: int, waves: int, pairs: int) -> None:
    found = _fabric_pairs.plan(ends(nodes, hcas), most_rounds, at_once)
    assert (len(found["waves"]), sum(len(wave) for wave in found["waves"])) == (waves, pairs)
    assert (found["refused"], found["notes"]) == ([], [])
    ports = [pair["port"] for wave in found["waves"] for pair in wave]
    assert all(abs(one - other) >= 2 for at, one in enumerate(ports) for other in ports[:at])
    for wave in found["waves"]:
        busy = [pair[side] for pair in wave for side in ("server", "client")]
        assert len(busy) == len(set(busy))
        assert at_once == 0 or len(busy) <= at_once


def test_one_fork_starts_no_pair_and_says_so() -> None:
    found = _fabric_pairs.plan(ends(2), at_once=1)
    assert (found["waves"], [note["node"] for note in found["notes"]]) == ([], [""])
    assert "--forks 2" in found["notes"][0]["text"]


def test_two_rounds_give_every_node_of_a_fleet_two_partners() -> None:
    found = _fabric_pairs.plan(ends(6), 2)
    met: dict[str, set[str]] = {}
    for pair in (pair for wave in found["waves"] for pair in wave):
        met.setdefault(pair["server"], set()).add(pair["client"])
        met.setdefault(pair["client"], set()).add(pair["server"])
    assert {len(one) for one in met.values()} == {2}


@pytest.mark.parametrize(
    ("given", "notes"),
    [
        ({}, [("", "0 nodes with HCAs: no fabric to test")]),
        (ends(1), [("", "one node with HCAs: no fabric to test")]),
        (
            {**ends(1), "n2": end("10.0.0.2", [], "the node has no mlx5_7; it has no HCA")},
            [
                ("n2", "the node has no mlx5_7; it has no HCA"),
                ("n2", "no compute HCA was chosen, so its links are not measured"),
                ("", "one node with HCAs: no fabric to test"),
            ],
        ),
        (
            {**ends(1), "n2": {}},
            [
                ("n2", "it had left the run before the fabric was measured"),
                ("", "one node with HCAs: no fabric to test"),
            ],
        ),
    ],
)
def test_no_fabric_to_test(given: dict[str, t.Any], notes: list[tuple[str, str]]) -> None:
    told = [{"node": node, "text": text} for node, text in notes]
    assert _fabric_pairs.plan(given) == {"waves": [], "refused": [], "notes": told}


def test_rails_that_only_one_side_has_are_told() -> None:
    found = _fabric_pairs.plan({**ends(1, 4), "n2": ends(2, 3)["n2"]})
    assert [[pair["rail"] for pair in wave] for wave in found["waves"]] == [[0], [1], [2]]
    said = "nodes differ in their number of HCAs (n1 4, n2 3): rails beyond the smaller number are not measured"
    assert found["notes"] == [{"node": "", "text": said}]


@pytest.mark.parametrize(("layer", "refused"), [("Ethernet", 1), ("InfiniBand", 0), ("", 0)])
def test_two_link_layers_do_not_meet(layer: str, refused: int) -> None:
    found = _fabric_pairs.plan({**ends(1), "n2": end("10.0.0.2", [hca("rocep1", link_layer=layer)])})
    assert len(found["refused"]) == refused
    assert len(found["waves"]) == 1 - refused
    if refused:
        assert found["refused"][0]["problem"] == (
            "mlx5_0 of n1 is InfiniBand, rocep1 of n2 is Ethernet: two fabrics; declare the compute HCAs of both nodes in one order"
        )


def test_what_each_side_of_a_pair_does() -> None:
    given = {**ends(1), "n2": end("10.0.0.2", [hca("mlx5_3", gid_index=3, numa_node=None)])}
    assert _fabric_pairs.parts(_fabric_pairs.plan(given)["waves"][0]) == {
        "n1": {
            "side": "server",
            "node": "n1",
            "peer": "n2",
            "hca": "mlx5_0",
            "peer_hca": "mlx5_3",
            "ib_port": 1,
            "port": 18515,
            "numa_node": 0,
        },
        "n2": {
            "side": "client",
            "node": "n2",
            "peer": "n1",
            "hca": "mlx5_3",
            "peer_hca": "mlx5_0",
            "ib_port": 1,
            "port": 18515,
            "gid_index": 3,
            "address": "10.0.0.1",
        },
    }


def test_a_server_needs_an_address() -> None:
    found = _fabric_pairs.plan({"n1": end("", [hca("mlx5_0")]), "n2": end("", [hca("mlx5_0")])})
    assert found["refused"][0]["problem"].startswith("n1 has no IPv4 address")


def test_who_rests_has_no_part() -> None:
    assert set(_fabric_pairs.parts(_fabric_pairs.plan(ends(3), 1)["waves"][0])) < {"n1", "n2", "n3"}


@pytest.mark.parametrize(
    ("suspects", "good", "pairs"),
    [
        ([("n1", 0), ("n2", 0)], {0: ["n3", "n4"]}, [[("n3", "n1"), ("n4", "n2")]]),
        # One good node meets one after the other.
        ([("n1", 0), ("n2", 0)], {0: ["n3"]}, [[("n3", "n1")], [("n3", "n2")]]),
        # A suspect of one rail may be good on another, but is never in two pairs at once.
        ([("n1", 0), ("n1", 1)], {0: ["n3"], 1: ["n1", "n4"]}, [[("n3", "n1")], [("n4", "n1")]]),
        ([("n1", 0)], {}, []),
        ([("n1", 0)], {0: ["n1"]}, []),
    ],
)
def test_suspects_meet_good_nodes(
    suspects: list[tuple[str, int]], good: dict[int, list[str]], pairs: list[list[tuple[str, str]]]
) -> None:
    waves = _fabric_pairs.swaps(ends(4, 2), suspects, good)
    assert [[(pair["server"], pair["client"]) for pair in wave] for wave in waves] == pairs
