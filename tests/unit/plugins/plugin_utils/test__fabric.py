# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole fabric part on made-up fleets: planned, answered, judged."""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_thresholds, _fabric

WISHES = {"rounds": 1, "at_once": 0, "port": 18515, "floor_share": 0.9, "image": "engine:1", "gdr": True}


def end(number: int, rails: int = 1) -> dict[str, t.Any]:
    hca = {"port": "1", "link_layer": "InfiniBand", "gbps": 400.0, "gid_index": None, "numa_node": None, "trouble": ""}
    hcas = [{"name": f"mlx5_{rail}", **hca} for rail in range(rails)]
    common = {"problem": "", "gpus": 8, "why_no_gpus": "no image", "interface": "bond0"}
    return {"address": f"10.0.0.{number}", "hcas": hcas, **common}


def fleet(nodes: int, rails: int = 1) -> dict[str, t.Any]:
    return {f"n{number}": end(number, rails) for number in range(1, nodes + 1)}


def answered(parts: list[dict[str, t.Any]], slow: set[str], answers: dict[str, list[t.Any]]) -> None:
    """Add what rdma_speed would return in each wave, with nodes of which every link is slow."""
    for wave in parts:
        for node, wish in wave.items():
            value = 100.0 if slow & {node, wish["peer"]} else 392.0
            for test in ("rdma_write_bw", "rdma_write_lat"):
                answers.setdefault(node, []).append(
                    {
                        "node": node,
                        "peer": wish["peer"],
                        "kind": test,
                        "subject": f"{wish['hca']} -> {wish['peer_hca']}",
                        "value": value if wish["side"] == "client" else None,
                        "problem": "",
                        "parameters": {},
                    }
                )


def test_a_good_fleet_passes() -> None:
    made = _fabric.plan(fleet(4, 2), {**WISHES, "rounds": 0})
    answers: dict[str, list[t.Any]] = {}
    answered(made["parts"], set(), answers)
    swapped = _fabric.swaps(made, answers, WISHES)
    found = _fabric.figures(made, swapped, answers, {}, WISHES)
    assert swapped == {"parts": [], "pairs": []}
    assert len([one for one in found["measurements"] if one["kind"] == "rdma_write_bw"]) == 12
    assert [(one["name"], one["verdict"]) for one in found["checks"]] == [("fabric", "pass")]
    assert found["facts"]["n3"] == {"nics": 2, "nic_gbps": 400.0}


def test_one_round_finds_a_slow_link_and_a_second_meeting_whose_fault_it_is() -> None:
    made = _fabric.plan(fleet(4), WISHES)
    answers: dict[str, list[t.Any]] = {}
    answered(made["parts"], {"n2"}, answers)
    before = _fabric.figures(made, {}, answers, {}, WISHES)["checks"]
    assert [one["name"] for one in before] == ["fabric: mlx5_0 of n2 and mlx5_0 of n3 on rail 0"]
    swapped = _fabric.swaps(made, answers, WISHES)
    assert {name for wave in swapped["parts"] for name in wave} == {"n1", "n2", "n3", "n4"}
    assert min(pair["port"] for pair in swapped["pairs"]) > max(pair["port"] for pair in made["pairs"])
    answered(swapped["parts"], {"n2"}, answers)
    after = _fabric.figures(made, swapped, answers, {}, WISHES)["checks"]
    assert [(one["name"], one["verdict"], one["node"]) for one in after] == [("fabric: mlx5_0 of n2", "fail", "n2")]


def test_a_node_that_has_left_is_told_and_stops_nobody() -> None:
    made = _fabric.plan({**fleet(2), "n3": None}, WISHES)  # type: ignore[dict-item]
    answers: dict[str, list[t.Any]] = {}
    answered(made["parts"], set(), answers)
    found = _fabric.figures(made, {}, answers, {}, WISHES)
    assert [(one["node"], one["verdict"]) for one in found["checks"]] == [("n3", "not_verified"), ("", "pass")]
    assert "n3" not in found["facts"]


def test_one_node_has_no_fabric() -> None:
    made = _fabric.plan(fleet(1), WISHES)
    found = _fabric.figures(made, _fabric.swaps(made, {}, WISHES), {}, {}, WISHES)
    assert found["measurements"] == []
    assert [(one["verdict"], one["observed"]) for one in found["checks"]] == [
        ("not_verified", "one node with HCAs: no fabric to test")
    ]


def test_paths_of_the_all_reduce_are_measurements_that_can_be_judged() -> None:
    ends = {name: {**one, "why_no_gpus": ""} for name, one in fleet(2).items()}
    made = _fabric.plan(ends, WISHES)
    log = "h:1:2 [0] NCCL INFO NET/IB : No device found.\nh:1:2 [0] NCCL INFO Channel 00/0 : 0[0] -> 8[0] [send] via NET/Socket/0"
    run = {
        "measurements": [
            {
                "kind": "nccl_all_reduce",
                "series": [[1 << 30, [0.1]]],
                "tool": "torch",
                "seconds": 1.0,
                "problem": "",
                "parameters": {"wrong": 0, "log": log},
            }
        ]
    }
    found = _fabric.figures(made, {}, {}, {"n1": run, "n2": run}, WISHES)
    paths = [one for one in found["measurements"] if one["kind"] == "nccl_transport"]
    checks = [_acceptance_thresholds.judge(one, {}, {}) for one in paths]
    assert [(one["node"], check["verdict"]) for one, check in zip(paths, checks, strict=True)] == [
        ("n1", "fail"),
        ("n2", "fail"),
    ]


def test_nodes_that_cannot_take_part_leave_a_reason() -> None:
    found = _fabric.figures(_fabric.plan(fleet(2), WISHES), {}, {}, {"n1": {}, "n2": {}}, WISHES)
    reduced = [one for one in found["measurements"] if one["kind"] == "nccl_all_reduce"]
    assert [one["problem"] for one in reduced] == ["fewer than two nodes can take part (n1: no image; n2: no image)"]


def test_one_hca_that_is_down_is_named_and_the_rest_is_measured() -> None:
    ends = {name: {**one, "why_no_gpus": ""} for name, one in fleet(2, 2).items()}
    ends["n2"]["hcas"][0] |= {"gbps": None, "trouble": "its port 1 is DOWN"}
    made = _fabric.plan(ends, {**WISHES, "rounds": 0})
    assert [wave["n1"]["hca"] for wave in made["parts"]] == ["mlx5_1"]
    assert made["group"]["chosen"] == {"n1": ["mlx5_0", "mlx5_1"], "n2": ["mlx5_1"]}
    assert (made["group"]["nics"], made["group"]["nic_gbps"]) == (1, 400.0)
    answers: dict[str, list[t.Any]] = {}
    answered(made["parts"], set(), answers)
    assert _fabric.swaps(made, answers, WISHES) == {"parts": [], "pairs": []}
    found = _fabric.figures(made, {}, answers, {}, WISHES)
    assert [(one["name"], one["verdict"]) for one in found["checks"]] == [("fabric: mlx5_0 of n2", "fail")]
    assert found["facts"]["n2"] == {"nics": 1, "nic_gbps": 400.0}
    pairs = [one for one in found["measurements"] if one["kind"] == "rdma_write_bw"]
    assert sorted(one["value"] or 0.0 for one in pairs) == [0.0, 392.0]


def test_the_cards_of_a_run_of_the_fabric_alone_are_known() -> None:
    cards = {"gpu": "NVIDIA H20", "gpus": 8, "driver": "580.1"}
    ends = {**fleet(2), "n3": {**end(3), "hcas": []}, "n4": None}
    runs = {"n1": {"fleet": {"n1": cards}, "measurements": []}, "n3": {"fleet": {"n3": cards}, "measurements": []}}
    runs["n2"] = {"fleet": {"n2": {"problem": "no image"}}, "measurements": []}
    found = _fabric.figures(_fabric.plan(ends, WISHES), {}, {}, runs, WISHES)["facts"]
    assert found == {"n1": {"nics": 1, "nic_gbps": 400.0, **cards}, "n2": {"nics": 1, "nic_gbps": 400.0}, "n3": cards}
