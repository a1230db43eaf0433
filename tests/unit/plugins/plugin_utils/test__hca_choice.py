# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _rdma_sysfs
from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_choice import choose
from tests.fakes.rdma import tree
from tests.unit.plugins.plugin_utils import rdma_samples as samples
from tests.unit.plugins.plugin_utils.rdma_samples import Data, below_root_port, below_switch, hca, pairs, port

DOWN = {"1": port(state="DOWN", physical_state="Polling")}


def dual(layer_of_second: str = "InfiniBand") -> Data:
    return {"1": port(), "2": port(link_layer=layer_of_second)}


class Case(t.NamedTuple):
    """A node, wishes, and what must come out: the list for NCCL, the verdict, and words that must be among the reasons."""

    rdma: Data
    wishes: Data
    nccl: str
    verdict: str
    reasons: tuple[str, ...] = ()


ALL_FOUR = "=mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1"

CASES = {
    "reference site": Case(
        samples.reference_site(),
        {"compute_hcas": 4},
        ALL_FOUR,
        "pass",
        (
            "mlx5_4: left out, 200 Gb/s where the others have 400",
            "mlx5_5: left out, 200 Gb/s where the others have 400",
            "mlx5_bond_0: left out, part of bond0; name it in rdma_hcas to use it",
            "GPUDirect RDMA is not used at NODE",
        ),
    ),
    "eight pairs": Case(pairs(8), {}, "=" + ",".join(f"mlx5_{at}:1" for at in range(8)), "pass"),
    "names that a rule gave": Case(
        samples.rdma(
            {"ibp26s0": hca(below_switch(0x20, 0)), "ibp5s0": hca(below_switch(0x04, 0))},
            [samples.gpu(below_switch(0x20, 1)), samples.gpu(below_switch(0x04, 1))],
        ),
        {},
        "=ibp5s0:1,ibp26s0:1",
        "pass",
    ),
    "both ports of a card": Case(
        pairs(2, mlx5_1=hca(below_switch(0x20, 0), 1, dual())), {}, "=mlx5_0:1,mlx5_1:1,mlx5_1:2", "pass"
    ),
    "one port of the same kind is down": Case(
        pairs(2, mlx5_1=hca(below_switch(0x20, 0), 1, DOWN)),
        {},
        "=mlx5_0:1",
        "warn",
        ("mlx5_1: left out, its port 1 is DOWN (Polling): it finds no other end",),
    ),
    "a storage port is down": Case(
        pairs(2, mlx5_9=hca(below_root_port(0xA0), 0, DOWN, hca_type="MT4123")),
        {},
        "=mlx5_0:1,mlx5_1:1",
        "pass",
        ("mlx5_9: left out",),
    ),
    "all wait for a subnet manager": Case(
        pairs(1, mlx5_0=hca(below_switch(0x10, 0), 0, {"1": port(state="INIT")})),
        {},
        "",
        "not_verified",
        ("no subnet manager has configured it",),
    ),
    "a card is nearest to no GPU": Case(
        pairs(2, mlx5_8=hca(below_root_port(0xA0), 0)),
        {},
        "=mlx5_0:1,mlx5_1:1",
        "pass",
        ("mlx5_8: left out, for every GPU another one is nearer; name it in rdma_hcas",),
    ),
    "many slow ones carry more than a fast one": Case(
        pairs(
            4,
            **{
                f"mlx5_{at}": hca(below_switch(0x10 * (at + 1), 0), 0, {"1": port(rate_gbps=200.0)})
                for at in range(1, 4)
            },
        ),
        {},
        "=mlx5_1:1,mlx5_2:1,mlx5_3:1",
        "pass",
        ("mlx5_0: left out, 400 Gb/s where the others have 200",),
    ),
    "the rate is declared": Case(
        pairs(2, mlx5_1=hca(below_switch(0x20, 0), 1, {"1": port(rate_gbps=200.0)})),
        {"rate_gbps": 200},
        "=mlx5_1:1",
        "pass",
        ("mlx5_0: left out, 400 Gb/s where 200 is wanted",),
    ),
    "a rate that cannot be read": Case(
        pairs(2, mlx5_1=hca(below_switch(0x20, 0), 1, {"1": port(rate_gbps=None)})),
        {},
        "=mlx5_0:1",
        "pass",
        ("mlx5_1: left out, the rate of its port 1 cannot be read",),
    ),
    "the other fabric is slower": Case(
        pairs(2, mlx5_8=hca(below_root_port(0xA0), 0, {"1": samples.roce(rate_gbps=100.0)})),
        {},
        "=mlx5_0:1,mlx5_1:1",
        "pass",
        ("mlx5_8: left out, Ethernet where the others are InfiniBand",),
    ),
    "the fabric is declared": Case(
        pairs(2, mlx5_1=hca(below_switch(0x20, 0), 1, {"1": samples.roce()})),
        {"link_layer": "Ethernet"},
        "=mlx5_1:1",
        "pass",
        ("mlx5_0: left out, InfiniBand where Ethernet is wanted",),
    ),
    "two fabrics carry the same": Case(
        pairs(2, mlx5_1=hca(below_switch(0x20, 0), 1, {"1": samples.roce()})), {}, "", "fail"
    ),
    "virtual functions": Case(
        pairs(1, mlx5_1=hca(below_switch(0x10, 0), virtual_function=True)),
        {},
        "=mlx5_0:1",
        "pass",
        ("SR-IOV virtual function",),
    ),
    "a guest": Case(
        samples.guest(), {}, "=mlx5_0:1,mlx5_1:1", "not_verified", ("name it in rdma_topology_file (NCCL_TOPO_FILE)",)
    ),
    "a guest with the provider's file": Case(
        samples.guest(),
        {"topology_file": "/etc/topology.xml"},
        "=mlx5_0:1,mlx5_1:1",
        "pass",
        ("the topology comes from /etc/topology.xml",),
    ),
    "no GPU": Case(
        samples.rdma({"mlx5_0": hca(below_root_port(1))}), {}, "=mlx5_0:1", "not_verified", ("no GPU on the PCI bus",)
    ),
    "soft-RoCE is not chosen": Case(samples.soft(), {}, "", "not_verified", ("rxe0: left out, software RDMA",)),
    "soft-RoCE can be declared": Case(samples.soft(), {"hcas": ["rxe0"]}, "=rxe0:1", "not_verified"),
    "no device": Case(
        samples.rdma({}), {}, "", "not_verified", ("no RDMA device (/sys/class/infiniband): NCCL uses TCP",)
    ),
    "not wanted": Case(pairs(2), {"used_by_engines": False}, "", "not_verified", ("rdma_used_by_engines is false",)),
    "a declared list wins": Case(
        samples.reference_site(),
        {"hcas": ["mlx5_5", "mlx5_4"]},
        "=mlx5_4:1,mlx5_5:1",
        "pass",
        ("mlx5_0: left out, not in rdma_hcas",),
    ),
    "declared with two rates": Case(
        samples.reference_site(), {"hcas": ["mlx5_0", "mlx5_4"]}, "=mlx5_0:1,mlx5_4:1", "warn", ("differ in rate",)
    ),
    "two subnets": Case(
        pairs(
            3,
            mlx5_2=hca(
                below_switch(0x30, 0),
                1,
                {"1": port(gids=[{"index": 0, "gid": "fec0:0000:0000:0002:1", "type": "", "netdev": ""}])},
            ),
        ),
        {},
        "=mlx5_0:1,mlx5_1:1,mlx5_2:1",
        "warn",
        ("the HCAs are in 2 InfiniBand subnets (fe80:0000:0000:0000, fec0:0000:0000:0002)",),
    ),
    "RoCE without an address": Case(
        pairs(1, mlx5_0=hca(below_switch(0x10, 0), 0, {"1": samples.roce(samples.LINK_LOCAL)})),
        {},
        "=mlx5_0:1",
        "warn",
        ("mlx5_0: no RoCE v2 GID of an address",),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_choices(case: Case) -> None:
    found = choose(case.rdma, case.wishes)
    told = "\n".join(found["reasons"])
    assert (found["nccl_ib_hca"], found["verdict"]) == (case.nccl, case.verdict), (told, found["mistakes"])
    assert [words for words in case.reasons if words not in told] == [], told
    assert bool(found["mistakes"]) is (case.verdict == "fail")


ROCE = hca(below_switch(0x10, 0), 0, {"1": samples.roce()})
MISTAKES = {
    "no HCA although four are wanted": (
        samples.rdma({}),
        {"compute_hcas": 4},
        "4 are wanted, and the node has no RDMA device",
    ),
    "one of four is down": (
        pairs(4, mlx5_2=hca(below_switch(0x30, 0), 1, DOWN)),
        {"compute_hcas": 4},
        "4 are wanted, 3 can be used (mlx5_0, mlx5_1, mlx5_3); mlx5_2: left out, its port 1 is DOWN (Polling)",
    ),
    "more than declared": (pairs(4), {"compute_hcas": 2}, "2 are wanted, 4 can be used"),
    "a declared HCA that is not there": (
        pairs(2),
        {"hcas": ["mlx5_0", "mlx5_7"]},
        "there is no mlx5_7; the node has mlx5_0, mlx5_1",
    ),
    "declared, and no device at all": (samples.rdma({}), {"hcas": ["mlx5_0"]}, "the node has no RDMA device"),
    "a declared HCA that is down": (
        pairs(2, mlx5_1=hca(below_switch(0x20, 0), 1, DOWN)),
        {"hcas": ["mlx5_0", "mlx5_1"]},
        "mlx5_1 cannot be used, its port 1 is DOWN",
    ),
    "a declared HCA without a port": (
        samples.rdma({"mlx5_0": {**hca(below_root_port(1)), "ports": {}}}),
        {"hcas": ["mlx5_0"]},
        "it has no port",
    ),
    "declared over two fabrics": (
        samples.reference_site(),
        {"hcas": ["mlx5_0", "mlx5_bond_0"]},
        "mlx5_0 InfiniBand, mlx5_bond_0 Ethernet: nothing passes between two fabrics",
    ),
    "fabrics that are equal": (
        pairs(2, mlx5_1=hca(below_switch(0x20, 0), 1, {"1": samples.roce()})),
        {"compute_hcas": 2},
        "rdma_link_layer: mlx5_1 (Ethernet) and mlx5_0 (InfiniBand) carry the same",
    ),
    "a GID that is not there": (
        pairs(1, mlx5_0=ROCE),
        {"gid_index": 5},
        "mlx5_0 has no RoCE v2 GID 5, it has 3 (10.0.0.1)",
    ),
}


@pytest.mark.parametrize(("rdma", "wishes", "told"), MISTAKES.values(), ids=MISTAKES)
def test_one_mistake_says_what_to_change(rdma: Data, wishes: Data, told: str) -> None:
    found = choose(rdma, wishes)
    assert found["verdict"] == "fail"
    [mistake] = found["mistakes"]
    assert told in mistake
    assert mistake.startswith("rdma_")


def test_the_gid_is_given_only_when_it_was_declared() -> None:
    node = pairs(1, mlx5_0=ROCE)
    assert choose(node, {})["gid_index"] is None
    assert choose(node, {"gid_index": 3})["gid_index"] == 3
    assert choose(pairs(1), {"gid_index": 3})["gid_index"] is None


@pytest.mark.parametrize(
    ("addresses", "family"),
    [
        ((samples.IPV4,), ""),
        ((samples.IPV6,), "AF_INET6"),
        ((samples.IPV6, samples.IPV4), ""),
        ((samples.LINK_LOCAL,), ""),
    ],
)
def test_the_family_of_addresses_is_set_where_there_is_no_other(addresses: tuple[str, ...], family: str) -> None:
    node = pairs(1, mlx5_0=hca(below_switch(0x10, 0), 0, {"1": samples.roce(*addresses)}))
    assert choose(node, {})["address_family"] == family


def test_each_gpu_has_its_hca() -> None:
    found = choose(samples.reference_site(), {})["affinity"]
    assert len(found) == 8
    assert [one["distance"] for one in found.values()].count("PIX") == 4
    # The two without a switch in common with an HCA share those of their socket.
    assert [found[f"0000:{bus:02x}:00.0"]["hca"] for bus in (0x54, 0x64)] == ["mlx5_0", "mlx5_1"]


@pytest.mark.parametrize(
    ("shape", "nccl"),
    [
        ("h20x8", "=mlx5_0:1,mlx5_1:1,mlx5_4:1,mlx5_5:1"),
        ("h100x8", "=" + ",".join(f"mlx5_{at}:1" for at in range(8))),
        ("named", "=" + ",".join(f"ibp{at}s0:1" for at in range(8))),
        ("roce", "=" + ",".join(f"mlx5_{at}:1" for at in range(8))),
        ("vfs", "=mlx5_0:1,mlx5_1:1"),
        ("guest", "=mlx5_0:1,mlx5_1:1"),
        ("rxe", ""),
        ("none", ""),
    ],
)
def test_what_is_read_of_fake_sysfs_trees_is_chosen_from(shape: str, nccl: str, tmp_path: pathlib.Path) -> None:
    tree.make_host(tmp_path, shape)
    assert choose(_rdma_sysfs.read(str(tmp_path)), {})["nccl_ib_hca"] == nccl


ONE_DOWN = pairs(4, mlx5_2=hca(below_switch(0x30, 0), 1, DOWN))
SECOND_PORT_DOWN = pairs(2, mlx5_1=hca(below_switch(0x20, 0), 1, {"1": port(), "2": DOWN["1"]}))


@pytest.mark.parametrize(
    ("rdma", "wishes", "wanted"),
    [
        (pairs(2), {}, ["mlx5_0:1", "mlx5_1:1"]),
        # What is down keeps its place, so that the rails behind it do.
        (ONE_DOWN, {}, ["mlx5_0:1", "mlx5_1:1", "mlx5_2", "mlx5_3:1"]),
        (ONE_DOWN, {"compute_hcas": 4}, ["mlx5_0:1", "mlx5_1:1", "mlx5_2", "mlx5_3:1"]),
        (ONE_DOWN, {"compute_hcas": 3}, ["mlx5_0:1", "mlx5_1:1", "mlx5_3:1"]),
        (ONE_DOWN, {"hcas": ["mlx5_3", "mlx5_2"]}, ["mlx5_2", "mlx5_3:1"]),
        (pairs(2), {"hcas": ["mlx5_0", "mlx5_9", "mlx5_1"]}, ["mlx5_0:1", "mlx5_9", "mlx5_1:1"]),
        (pairs(2), {"hcas": ["mlx5_9", "mlx5_1"]}, ["mlx5_9", "mlx5_1:1"]),
        (pairs(2), {"hcas": ["mlx5_8", "mlx5_9"]}, ["mlx5_8", "mlx5_9"]),
        (SECOND_PORT_DOWN, {}, ["mlx5_0:1", "mlx5_1:1"]),
        (samples.rdma({}), {}, []),
        (pairs(2), {"used_by_engines": False}, []),
    ],
)
def test_what_should_carry_tensors(rdma: Data, wishes: Data, wanted: list[str]) -> None:
    assert choose(rdma, wishes)["wanted"] == wanted


def test_the_other_port_of_a_chosen_card_is_no_suspect() -> None:
    found = choose(SECOND_PORT_DOWN, {})
    assert (found["suspects"], found["verdict"]) == ([], "pass")
