# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two gateways that share one floating address by VRRP.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import typing as t

#: Of the first host in the list; the other one follows by one step.
PRIORITY = 150
STEP = 50


def pair(
    floating: str | None,
    peers: t.Sequence[str],
    interface: str | None,
    interfaces: t.Mapping[str, t.Mapping[str, t.Any]],
    address: str | None,
) -> tuple[dict[str, t.Any], list[str]]:
    """Return ``{"interface", "own", "others", "priority"}`` of this host (empty without a floating address) and mistakes.

    ``peers`` are the addresses of both hosts, the preferred one first; ``interfaces`` those of node_facts; ``address`` is what
    the gateway listens on when not on all.
    """
    if not floating:
        mistake = "gateway_floating_address: is missing, and two gateways need one that clients can follow"
        return {}, [mistake] if len(peers) > 1 else []
    mistakes = []
    try:
        ipaddress.IPv4Address(floating)
    except ValueError:
        mistakes.append(f"gateway_floating_address: must be an IPv4 address without a prefix length, not {floating!r}")
    if floating in peers:
        mistakes.append(f"gateway_floating_address: {floating} is the address of a host; take one that nobody has")
    if address and address.strip("[]") != floating:
        mistakes.append(f"gateway_address: {address} leaves the floating address out; remove it, to listen on all")
    if len(peers) != 2:
        mistakes.append(f"gateway_peers: must hold the addresses of two hosts, not of {len(peers)}")
    if interface is None or interface not in interfaces:
        mistakes.append(f"gateway_floating_interface: {interface} is none of {', '.join(interfaces)}")
        return {}, mistakes
    own = [peer for peer in peers if peer in interfaces[interface].get("addresses", [])]
    if len(own) != 1:
        mistakes.append(f"gateway_peers: one of {', '.join(peers)} must be an address of {interface}")
    if mistakes:
        return {}, mistakes
    return {
        "interface": interface,
        "own": own[0],
        "others": [peer for peer in peers if peer != own[0]],
        "priority": PRIORITY - STEP * list(peers).index(own[0]),
    }, []
