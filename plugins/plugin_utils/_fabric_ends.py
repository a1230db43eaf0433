# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node brings to a measurement of the fabric: its compute HCAs, each with the GID to use, and its address.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

#: An IPv4 address as a GID, as the kernel writes it in /sys.
_IPV4 = "0000:0000:0000:0000:0000:ffff:"


def end(
    node: t.Mapping[str, t.Any],
    hcas: t.Sequence[str] = (),
    gid_index: int | None = None,
    address: str = "",
    why_no_gpus: str = "",
) -> dict[str, t.Any]:
    """Return {address, interface, hcas: [{name, port, link_layer, gbps, gid_index, numa_node}], problem, gpus, why_no_gpus}.

    ``node`` is platform_node with ``rdma``; ``hcas`` are the chosen ones in PCI order (_hca_choice), ``mlx5_0`` or ``mlx5_0:2``;
    ``gid_index`` and ``address`` are declared ones. A chosen HCA that the node lacks is the ``problem``, and left out.
    ``why_no_gpus``: why its GPUs cannot be measured, or empty.
    """
    known = (node.get("rdma") or {}).get("hcas") or {}
    found, lacking = [], []
    for wanted in hcas:
        name, _, port = wanted.partition(":")
        own = known.get(name)
        number = port or next(iter(sorted((own or {}).get("ports", {}))), "1")
        if own is None or number not in own["ports"]:
            lacking.append(wanted)
            continue
        found.append(_hca(name, number, own, gid_index))
    problem = f"the node has no {', '.join(lacking)}; it has {', '.join(sorted(known)) or 'no HCA'}" if lacking else ""
    address = address or _address(node)
    return {
        "address": address,
        "interface": _interface(node, address),
        "hcas": found,
        "problem": problem,
        "gpus": len(node.get("gpus") or []),
        "why_no_gpus": why_no_gpus,
    }


def _hca(name: str, number: str, own: t.Mapping[str, t.Any], declared: int | None) -> dict[str, t.Any]:
    port = own["ports"][number]
    return {
        "name": name,
        "port": number,
        "link_layer": port["link_layer"],
        "gbps": port["rate_gbps"],
        "gid_index": roce_gid(port) if declared is None else declared,
        "numa_node": own["numa_node"],
    }


def roce_gid(port: t.Mapping[str, t.Any]) -> int | None:
    """Return the index of the GID that RoCE v2 needs, that of the IPv4 address; None on InfiniBand and when there is none.

    perftest before 5.x takes index 0, which is RoCE v1 of a link-local address.
    """
    if port["link_layer"] != "Ethernet":
        return None
    second = [one for one in port["gids"] if one["type"] == "RoCE v2"]
    routable = [one for one in second if one["gid"].lower().startswith(_IPV4)]
    return next((int(one["index"]) for one in routable or second), None)


def _address(node: t.Mapping[str, t.Any]) -> str:
    """Return the node's first IPv4 address on the interface of its default route, or an empty string."""
    own = (node.get("interfaces") or {}).get(node.get("default_interface") or "", {})
    return next((one for one in own.get("addresses", []) if ":" not in one), "")


def _interface(node: t.Mapping[str, t.Any], address: str) -> str:
    """Return the interface that has an address, or an empty string."""
    every = node.get("interfaces") or {}
    return next((name for name, one in every.items() if address in one.get("addresses", [])), "") if address else ""
