# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of the ports of HCAs for GPUs: state, link, rate, subnet manager, and what RoCE needs.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_common import (
    Bad,
    Finding,
    Judged,
    Node,
    Skip,
    counted,
    not_said,
    over,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, PASS, WARN

_PORTS = "/sys/class/infiniband/*/ports/*"
_MANAGER = (
    "Start a subnet manager on the fabric (opensm, or the managed switch's), or look why it does not reach this port."
)

#: Physical state → what it means. Kernel, drivers/infiniband/core/sysfs.c; InfiniBand specification, 14.2.5.6.
_PHYSICAL = {
    "Polling": "no partner on the cable: look at cable, transceiver and the switch's port",
    "Disabled": "turned off: ip link set it up, or enable the port (ibportstate, switch)",
    "Sleep": "asleep: enable the port",
    "PortConfigurationTraining": "training without end: cable or firmware of one side",
    "LinkErrorRecovery": "recovering from errors: clean or replace the cable",
    "Phy Test": "in a test of the vendor's tools: end it",
}


def _each(node: Node, key: str) -> dict[str, t.Any]:
    return {label: port[key] for label, port in node.ports.items()}


def state(node: Node) -> Judged:
    remedy = f"INIT or ARMED: {_MANAGER} DOWN: see `physical link`."
    return over(
        _each(node, "state"),
        lambda _label, value: None if value == "ACTIVE" else Bad(FAIL, value),
        "ACTIVE",
        remedy,
        f"{_PORTS}/state",
    )


def physical(node: Node) -> Judged:
    values = _each(node, "physical_state")
    meanings = sorted({_PHYSICAL.get(value, "look at both ends") for value in values.values() if value != "LinkUp"})
    remedy = f"{'; '.join(meanings)}."
    return over(
        values,
        lambda _label, value: None if value == "LinkUp" else Bad(FAIL, value),
        "LinkUp",
        remedy[0].upper() + remedy[1:],
        f"{_PORTS}/phys_state",
    )


def rate(node: Node) -> Judged:
    """Which rate is right only the profile knows; that all have one can be seen."""
    values, wished, source = _each(node, "rate_gbps"), node.profile.rate_gbps, f"{_PORTS}/rate"
    said = _each(node, "rate")
    remedy = "Look at cable, transceiver and the switch's port: one of them does not reach the rate."
    if wished is not None:
        return over(
            values,
            lambda label, value: None if value == wished else Bad(FAIL, said[label]),
            f"{wished} Gb/s",
            remedy,
            source,
        )
    found = over(values, lambda _label, _value: None, "one rate", remedy, source)
    if found.verdict != PASS:
        return found
    if len(set(values.values())) > 1:
        return Finding(FAIL, counted(said), "one rate", remedy, source)
    return not_said("rate_gbps", found.observed, source)


def link_layer(node: Node) -> Judged:
    values, wished, source = _each(node, "link_layer"), node.profile.link_layer, f"{_PORTS}/link_layer"
    remedy = "Ports of two fabrics cannot be used together: correct hcas in expect, or set LINK_TYPE with mlxconfig."
    if wished:
        return over(values, lambda _label, value: None if value == wished else Bad(FAIL, value), wished, remedy, source)
    found = over(values, lambda _label, _value: None, "one", remedy, source)
    if found.verdict == PASS and len(set(values.values())) > 1:
        return Finding(FAIL, counted(values), "one", remedy, source)
    return found


def subnet_manager(node: Node) -> Judged:
    """A port has its address from the subnet manager and knows where that is."""
    if node.on_ethernet:
        return Skip("RoCE has no subnet manager")
    values = {
        label: None if port["lid"] is None or port["sm_lid"] is None else (port["lid"], port["sm_lid"])
        for label, port in node.ports.items()
        if port["link_layer"] != "Ethernet"
    }

    def judge(_label: str, value: tuple[int, int]) -> Bad | None:
        if all(value):
            return None
        return Bad(FAIL, "no LID" if not value[0] else f"LID {value[0]}, no subnet manager")

    return over(
        values, judge, "a LID, and that of the subnet manager", _MANAGER, f"{_PORTS}/lid, sm_lid", "both are there"
    )


def roce_gids(node: Node) -> Judged:
    """RoCE v2 is what switches route and mark; NCCL picks such a GID itself since 2.21."""
    if not node.on_ethernet:
        return Skip("InfiniBand needs no GID of RoCE")
    values = {label: [gid for gid in port["gids"] if gid["type"]] or None for label, port in node.ports.items()}

    def judge(_label: str, gids: list[dict[str, t.Any]]) -> Bad | None:
        second = [gid for gid in gids if gid["type"] == "RoCE v2"]
        if not second:
            return Bad(FAIL, "no GID of RoCE v2")
        # fe80… is the link's own: it does not leave the segment.
        return None if any(not gid["gid"].startswith("fe80") for gid in second) else Bad(WARN, "only a link-local GID")

    remedy = "Give the interface its IP address (its GIDs follow it), and take RoCE v2 (cma_roce_mode, mlxconfig)."
    return over(values, judge, "RoCE v2 with an IP address", remedy, f"{_PORTS}/gid_attrs", "there")


def mtu(node: Node) -> Judged:
    if not node.on_ethernet:
        return Skip("on InfiniBand the subnet manager sets the MTU")
    least = int(node.profile.mtu)
    values = {label: node.read["mtu"].get(port["netdev"]) for label, port in node.ports.items()}
    remedy = (
        f"Raise the MTU of the interface and of all switches between, to {least} or 9000: smaller packets cost speed."
    )
    source = "/sys/class/net/*/mtu"
    return over(
        values, lambda _label, value: None if value >= least else Bad(WARN, value), f"at least {least}", remedy, source
    )


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "port state": state,
    "physical link": physical,
    "port rate": rate,
    "link layer": link_layer,
    "subnet manager": subnet_manager,
    "RoCE GIDs": roce_gids,
    "RoCE MTU": mtu,
}
