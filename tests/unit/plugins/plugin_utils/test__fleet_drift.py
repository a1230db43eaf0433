# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fleet_drift

Facts = dict[str, t.Any]


def hca(**more: t.Any) -> Facts:
    port = {"state": "ACTIVE", "rate_gbps": 400.0, "link_layer": "InfiniBand"}
    base = {"hca_type": "MT4129", "device": "1021", "firmware": "28.41.1000", "virtual_function": False}
    return {**base, "ports": {"1": port}, **more}


NODE: Facts = {
    "kernel": "6.8.0-60-generic",
    "distribution": "Ubuntu",
    "distribution_version": "24.04",
    "cpus": 192,
    "memory_bytes": 2164000000000,
    "gpus": [{"pci": f"0000:{bus}:00.0", "device": "2329"} for bus in ("1b", "43")],
    "nvidia": {"version": "580.159.04", "flavour": "open"},
    "rdma": {"hcas": {"mlx5_0": hca(), "mlx5_1": hca(), "mlx5_2": hca(virtual_function=True, firmware="1.2.3")}},
    "docker": {"version": "29.1.0", "images": {"engine:1": "sha256:" + "a" * 64, "sha256:" + "a" * 64: "x"}},
}
PROOF: Facts = {"gpus": [{"vbios_version": "96.00.99.00.01"}]}


def fleet(count: int = 4, **changed: Facts) -> dict[str, Facts]:
    """Return n1…; ``changed`` is {node: {path with dots: value}}."""
    nodes = {f"n{number}": copy.deepcopy(NODE) for number in range(1, count + 1)}
    for name, changes in changed.items():
        for path, value in changes.items():
            at: t.Any = nodes[name]
            *parents, last = path.split("/")
            for part in parents:
                at = at[part]
            at[last] = value
    return nodes


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"kernel": "6.8.0-62-generic"}, "n3: kernel 6.8.0-62-generic where 3 have 6.8.0-60-generic"),
        ({"nvidia/version": "570.1"}, "n3: driver 570.1 open where 3 have 580.159.04 open"),
        ({"nvidia/flavour": "proprietary"}, "n3: driver 580.159.04 proprietary where 3 have 580.159.04 open"),
        ({"nvidia": {}}, "n3: driver not loaded where 3 have 580.159.04 open"),
        ({"distribution_version": "22.04"}, "n3: distribution Ubuntu 22.04 where 3 have Ubuntu 24.04"),
        (
            {"rdma/hcas/mlx5_1/firmware": "28.39.1"},
            "n3: HCA firmware MT4129 28.39.1, MT4129 28.41.1000 where 3 have MT4129 28.41.1000",
        ),
        ({"gpus": NODE["gpus"][:1]}, "n3: GPUs 1 × 2329 where 3 have 2 × 2329"),
        ({"docker/version": "28.0.0"}, "n3: Docker 28.0.0 where 3 have 29.1.0"),
        (
            {"docker/images/engine:1": "sha256:" + "b" * 64},
            f"n3: image engine:1 sha256:{'b' * 12} where 3 have sha256:{'a' * 12}",
        ),
        ({"cpus": 96}, "n3: CPUs 96 where 3 have 192"),
        ({"memory_bytes": 1082000000000}, "n3: memory 1007.7 GiB where 3 have 2015.38 GiB"),
        ({"rdma/hcas/mlx5_1/ports/1/state": "DOWN"}, "n3: active RDMA ports 400 Gb/s where 3 have 800 Gb/s"),
    ],
)
def test_one_line_per_drifted_node(changes: Facts, line: str) -> None:
    found = _fleet_drift.drift(fleet(n3=changes))
    assert (found["verdict"], found["lines"]) == ("warn", [line])


def test_several_things_are_one_line() -> None:
    found = _fleet_drift.drift(fleet(n2={"kernel": "x", "cpus": 1}, n4={"kernel": "x"}))
    assert [line.partition(":")[0] for line in found["lines"]] == ["n2", "n4"]
    assert [one["what"] for one in found["nodes"]["n2"]] == ["kernel", "CPUs"]


def test_an_hca_that_is_away_is_seen_in_set_and_rate() -> None:
    found = _fleet_drift.drift(fleet(n1={"rdma/hcas": {"mlx5_0": hca()}}))
    assert found["nodes"]["n1"][0] == {
        "what": "HCAs",
        "observed": "1 × MT4129 InfiniBand",
        "expected": "2 × MT4129 InfiniBand",
        "others": 3,
        "sure": True,
    }
    assert found["nodes"]["n1"][1]["what"] == "active RDMA ports"


def test_a_uniform_fleet_passes() -> None:
    proofs = dict.fromkeys(fleet(), PROOF)
    assert _fleet_drift.drift(fleet(), proofs) == {
        "verdict": "pass",
        "lines": [],
        "nodes": {},
        "unseen": {},
        "compared": ["n1", "n2", "n3", "n4"],
    }


def test_small_differences_of_memory_are_none() -> None:
    assert _fleet_drift.drift(fleet(n1={"memory_bytes": 2163000000000}))["verdict"] == "pass"


def test_vbios_comes_from_the_proof() -> None:
    proofs = {**dict.fromkeys(fleet(), PROOF), "n2": {"gpus": [{"vbios_version": "96.00.74.00.01"}]}}
    found = _fleet_drift.drift(fleet(), proofs)
    assert found["lines"] == ["n2: VBIOS 96.00.74.00.01 where 3 have 96.00.99.00.01"]


def test_what_could_not_be_read_is_not_verified() -> None:
    proofs = dict.fromkeys(("n1", "n3", "n4"), PROOF)
    found = _fleet_drift.drift(fleet(n4={"docker/version": ""}), proofs)
    assert (found["verdict"], found["lines"]) == (
        "not_verified",
        ["n4: could not be read: Docker", "n2: could not be read: VBIOS"],
    )


def test_nodes_without_cards_lack_nothing() -> None:
    bare = {"gpus": [], "nvidia": {}, "rdma": {"hcas": {}}}
    found = _fleet_drift.drift(fleet(2, n1=bare, n2=bare), {})
    assert found["verdict"] == "pass"


def test_of_two_nodes_nobody_knows_who_drifted() -> None:
    found = _fleet_drift.drift(fleet(2, n2={"kernel": "x"}))
    assert found["lines"] == ["n2: kernel x where 1 has 6.8.0-60-generic (no majority: either side may have drifted)"]
    assert found["nodes"]["n2"][0]["sure"] is False


@pytest.mark.parametrize("count", [0, 1])
def test_one_node_cannot_be_compared(count: int) -> None:
    assert _fleet_drift.drift(fleet(count))["verdict"] == "not_verified"


def test_an_image_that_only_some_have_is_no_drift() -> None:
    nodes = fleet()
    nodes["n1"]["docker"]["images"] = {}
    assert _fleet_drift.drift(nodes)["verdict"] == "pass"


@pytest.mark.parametrize(
    ("values", "nodes"),
    [
        ({"a": 100.0, "b": 101.0, "c": 99.0}, []),
        ({"a": 100.0, "b": 100.0, "c": 90.0}, ["c"]),
        ({"a": 0.0, "b": 0.0, "c": 5.0}, ["c"]),
        ({"a": 100.0}, []),
    ],
)
def test_outliers_of_numbers(values: dict[str, float], nodes: list[str]) -> None:
    assert list(_fleet_drift.outlying("x", values)) == nodes
