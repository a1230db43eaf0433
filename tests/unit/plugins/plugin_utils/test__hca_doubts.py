# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_doubts import (
    Findings,
    fabric,
    number,
    only_ipv6,
    topology,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_ports import Port, ports
from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_topology import nearest
from tests.unit.plugins.plugin_utils import rdma_samples as samples
from tests.unit.plugins.plugin_utils.rdma_samples import Data, below_root_port, hca, pairs


def chosen(*of: Data) -> list[Port]:
    """Return the ports of HCAs a, b … that have these as their only port."""
    names = "abcdef"[: len(of)]
    return ports(
        samples.rdma({name: hca(below_root_port(1), ports={"1": one}) for name, one in zip(names, of, strict=True)}),
        names,
    )


IB, SLOW, ROCE = samples.port(), samples.port(rate_gbps=200.0), samples.roce()


@pytest.mark.parametrize(
    ("found", "with_ports", "verdict"),
    [
        (Findings(), True, "pass"),
        (Findings(reasons=["a"]), True, "pass"),
        (Findings(warned=True), True, "warn"),
        (Findings(suspects=["mlx5_3"]), True, "warn"),
        (Findings(unseen=True, warned=True), True, "not_verified"),
        (Findings(), False, "not_verified"),
        (Findings(mistakes=["a"], unseen=True), False, "fail"),
    ],
)
def test_the_worst_verdict_wins(found: Findings, with_ports: bool, verdict: str) -> None:
    assert found.verdict(chosen(IB) if with_ports else []) == verdict


@pytest.mark.parametrize(
    ("of", "mistakes", "warned"),
    [
        ([], 0, False),
        ([IB, IB], 0, False),
        ([IB, ROCE], 1, False),
        ([IB, SLOW], 0, True),
        ([ROCE], 0, False),
        ([samples.roce(samples.LINK_LOCAL)], 0, True),
    ],
)
def test_fabrics(of: list[Data], mistakes: int, warned: bool) -> None:
    found = Findings()
    fabric(chosen(*of), {}, found)
    assert (len(found.mistakes), found.warned) == (mistakes, warned)


def subnet(prefix: str) -> Data:
    return samples.port(gids=[{"index": 0, "gid": f"{prefix}:b83f:d203:00ba:0001", "type": "IB/RoCE v1", "netdev": ""}])


def test_one_subnet_per_hca_is_a_fabric_of_rails() -> None:
    first, second = subnet("fec0:0000:0000:0001"), subnet("fec0:0000:0000:0002")
    rails, mixed = Findings(), Findings()
    fabric(chosen(first, second), {}, rails)
    fabric(chosen(first, first, second), {}, mixed)
    assert (rails.warned, mixed.warned) == (False, True)
    assert "compute and storage?" in mixed.reasons[0]


def test_addresses_of_roce() -> None:
    assert only_ipv6(chosen(samples.roce(samples.IPV6))) is True
    assert only_ipv6(chosen(samples.roce(samples.IPV6), ROCE)) is False
    assert only_ipv6(chosen(samples.roce(samples.LINK_LOCAL))) is False
    assert only_ipv6([]) is False


@pytest.mark.parametrize(
    ("wanted", "names", "have", "earlier", "told"),
    [
        (0, ["a"], [IB], [], ""),
        (1, ["a"], [IB], [], ""),
        (2, ["a"], [IB], [], "2 are wanted, 1 can be used (a)"),
        (1, ["a", "b"], [IB, IB], [], "1 are wanted, 2 can be used (a, b)"),
        (2, [], [], [], "the node has no RDMA device"),
        (2, ["a"], [], [], "0 can be used (none)"),
        # What was found before explains it already.
        (2, ["a"], [IB], ["rdma_hcas: there is no b."], ""),
    ],
)
def test_another_number_than_declared(
    wanted: int, names: list[str], have: list[Data], earlier: list[str], told: str
) -> None:
    found = Findings(mistakes=list(earlier))
    number(names, chosen(*have), {"compute_hcas": wanted}, found)
    new = found.mistakes[len(earlier) :]
    assert len(new) == bool(told)
    assert told in "".join(new)


def test_gpus_beyond_the_reach_of_gpu_direct_are_named() -> None:
    node, found = samples.reference_site(), Findings()
    taken = [one for one in ports(node, node["hcas"]) if one.rate == 400.0]
    topology(node, taken, nearest(node["gpus"], {one.hca: node["hcas"][one.hca] for one in taken}), {}, found)
    [told] = found.reasons
    assert told.startswith(
        "GPUDirect RDMA is not used at NODE (0000:54:00.0, 0000:64:00.0, 0000:74:00.0, 0000:84:00.0)"
    )
    assert found.unseen is False


@pytest.mark.parametrize(
    ("rdma", "file", "unseen"),
    [
        (pairs(2), "", False),
        (samples.guest(), "", True),
        (samples.guest(), "/t.xml", False),
        (pairs(2) | {"gpus": {}}, "", True),
    ],
)
def test_a_topology_that_nobody_sees(rdma: Data, file: str, unseen: bool) -> None:
    found, taken = Findings(), ports(rdma, rdma["hcas"])
    topology(rdma, taken, nearest(rdma["gpus"], rdma["hcas"]), {"topology_file": file}, found)
    assert found.unseen is unseen
    nothing = Findings()
    topology(rdma, [], {}, {}, nothing)
    assert nothing.reasons == []
