# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_ports import in_pci_order, ports, unfit
from tests.unit.plugins.plugin_utils.rdma_samples import (
    IPV4,
    IPV6,
    below_root_port,
    hca,
    port,
    rdma,
    reference_site,
    roce,
    soft,
)


@pytest.mark.parametrize(
    ("state", "physical", "remedy"),
    [
        ("INIT", "LinkUp", "start one (UFM, opensm"),
        ("ARMED", "LinkUp", "the subnet manager has not finished"),
        ("DOWN", "Polling", "look at cable, module and switch port"),
        ("DOWN", "Disabled", "enable it with mlxlink"),
        ("DOWN", "LinkErrorRecovery", "clean or replace cable"),
        ("DOWN", "Sleep", "look at cable, switch port"),
        ("", "", "is in no known state (unknown)"),
    ],
)
def test_a_port_that_is_not_active_says_what_to_do(state: str, physical: str, remedy: str) -> None:
    node = rdma({"a": hca(below_root_port(1), ports={"2": port(state=state, physical_state=physical)})})
    [one] = ports(node, ["a"])
    assert not one.active
    assert one.trouble.startswith("its port 2 is ")
    assert remedy in one.trouble


def test_an_active_port_has_no_trouble() -> None:
    [one] = ports(rdma({"a": hca(below_root_port(1))}), ["a"])
    assert (one.active, one.trouble, one.subnet()) == (True, "", "fe80:0000:0000:0000")


def test_ports_are_numbers() -> None:
    node = rdma({"a": hca(below_root_port(1), ports={"10": port(), "2": port(), "1": port()})})
    assert [one.number for one in ports(node, ["a"])] == ["1", "2", "10"]


def test_roce_addresses() -> None:
    mixed = roce(IPV6, IPV4)
    mixed["gids"].append({"index": 0, "gid": IPV4, "type": "IB/RoCE v1", "netdev": "eth0"})
    [one] = ports(rdma({"a": hca(below_root_port(1), ports={"1": mixed})}), ["a"])
    assert [(index, str(address)) for index, address in one.roce()] == [(1, "2001:db8::1"), (3, "10.0.0.1")]
    assert one.subnet() == ""


def test_the_order_is_that_of_the_bus() -> None:
    node = rdma({"rxe0": hca([]), "mlx5_0": hca(below_root_port(0x20)), "ibp3s0": hca(below_root_port(0x02))})
    assert in_pci_order(node) == ["ibp3s0", "mlx5_0", "rxe0"]


@pytest.mark.parametrize(
    ("one", "more", "why"),
    [
        (hca([]), {}, "software RDMA"),
        (hca(below_root_port(1), virtual_function=True), {}, "SR-IOV"),
        (hca(below_root_port(1), netdevs=["eth0"]), {"bonds": {"bond0": ["eth0"]}}, "part of bond0"),
        (hca(below_root_port(1), ports={"1": roce(netdev="bond0")}), {"bonds": {"bond0": []}}, "part of bond0"),
        (hca(below_root_port(1), netdevs=["eth9"]), {}, "eth9 has the default route"),
        (hca(below_root_port(1), netdevs=["eth0"]), {}, ""),
        # A VLAN on it, or a bridge.
        (
            hca(below_root_port(1), netdevs=["eth0"]),
            {"default_route": "br0", "below_default_route": ["eth0", "eth0.100"]},
            "the default route by br0 lies on its interface eth0",
        ),
        (hca(below_root_port(1), netdevs=["eth0"]), {"below_default_route": ["eth1"]}, ""),
        (hca(below_root_port(1)), {"default_route": ""}, ""),
    ],
)
def test_what_speaks_against_an_hca(one: dict[str, t.Any], more: dict[str, t.Any], why: str) -> None:
    found = unfit(rdma({"a": one}, **more), "a")
    assert why in found and bool(why) is bool(found)


def test_the_reference_site_and_soft_roce() -> None:
    site = reference_site()
    assert [name for name in site["hcas"] if unfit(site, name)] == ["mlx5_bond_0"]
    assert "software" in unfit(soft(), "rxe0")
