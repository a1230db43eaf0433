# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ports of a node's HCAs: which can carry tensors, why others cannot, and what their GIDs say.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

INFINIBAND, ETHERNET = "InfiniBand", "Ethernet"
ROCE_V2 = "RoCE v2"

#: What to do about a port that is not ACTIVE, by its state, or by its physical state where that says more.
REMEDIES = {
    "INIT": "the link is up and no subnet manager has configured it: start one (UFM, opensm, or that of a switch)",
    "ARMED": "the subnet manager has not finished with it: look at the manager's log",
    "Polling": "it finds no other end: look at cable, module and switch port",
    "Disabled": "it is switched off: set its interface up, or enable it with mlxlink",
    "LinkErrorRecovery": "the link recovers from errors all the time: clean or replace cable and module",
    "DOWN": "look at cable, switch port and `ip link`",
}


@dataclasses.dataclass(frozen=True)
class Port:
    """One port of an HCA. ``rate`` is in Gb/s, None where it cannot be read; ``gids`` are those that are not zero."""

    hca: str
    number: str
    layer: str
    rate: float | None
    state: str
    physical: str
    gids: tuple[t.Mapping[str, t.Any], ...]

    @property
    def active(self) -> bool:
        """Whether traffic can pass."""
        return self.state == "ACTIVE"

    @property
    def trouble(self) -> str:
        """What keeps it from being active, and what to do; empty for an active port."""
        if self.active:
            return ""
        remedy = REMEDIES.get(self.state if self.state in ("INIT", "ARMED") else self.physical, REMEDIES["DOWN"])
        return f"its port {self.number} is {self.state or 'in no known state'} ({self.physical or 'unknown'}): {remedy}"

    def roce(self) -> list[tuple[int, ipaddress.IPv4Address | ipaddress.IPv6Address]]:
        """Return (index, address) of the RoCE v2 GIDs; an IPv4 address where the GID maps one."""
        found: list[tuple[int, ipaddress.IPv4Address | ipaddress.IPv6Address]] = []
        for one in self.gids:
            if one["type"] == ROCE_V2:
                address = ipaddress.IPv6Address(one["gid"])
                found.append((one["index"], address.ipv4_mapped or address))
        return found

    def subnet(self) -> str:
        """Return the subnet prefix of an InfiniBand port, the upper half of its first GID; empty where it has none."""
        first = next((one["gid"] for one in self.gids if one["index"] == 0), "")
        return first[:19] if self.layer == INFINIBAND else ""


def in_pci_order(rdma: t.Mapping[str, t.Any]) -> list[str]:
    """Return the names of all HCAs by PCI address; those without one, such as soft-RoCE, last."""
    hcas = rdma["hcas"]
    return sorted(hcas, key=lambda name: (not hcas[name]["address"], hcas[name]["address"], name))


def ports(rdma: t.Mapping[str, t.Any], names: t.Iterable[str]) -> list[Port]:
    """Return all ports of the named HCAs, in order."""
    return [
        Port(
            name,
            number,
            one["link_layer"],
            one["rate_gbps"],
            one["state"],
            one["physical_state"],
            tuple(one["gids"]),
        )
        for name in names
        for number, one in sorted(rdma["hcas"][name]["ports"].items(), key=lambda item: int(item[0]))
    ]


def unfit(rdma: t.Mapping[str, t.Any], name: str) -> str:
    """Return why an HCA carries something else than tensors, whatever its ports; empty when nothing speaks against it."""
    hca = rdma["hcas"][name]
    if not hca["address"]:
        return "software RDMA without a PCI device"
    if hca["virtual_function"]:
        return "an SR-IOV virtual function"
    interfaces = {*hca["netdevs"], *(one["netdev"] for one in hca["ports"].values())} - {""}
    for bond, members in rdma["bonds"].items():
        if interfaces & {bond, *members}:
            return f"part of {bond}"
    if rdma["default_route"] in interfaces:
        return f"its interface {rdma['default_route']} has the default route"
    under = sorted(interfaces & set(rdma["below_default_route"]))
    if under:
        return f"the default route by {rdma['default_route']} lies on its interface {under[0]}"
    return ""
