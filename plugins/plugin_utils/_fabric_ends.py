# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node brings to a measurement of the fabric: its compute HCAs, each with the GID to use, and its address.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _hca_ports

#: An IPv4 address as a GID, as the kernel writes it in /sys.
_IPV4 = "0000:0000:0000:0000:0000:ffff:"


def end(
    node: t.Mapping[str, t.Any],
    hcas: t.Sequence[str] = (),
    gid_index: int | None = None,
    address: str = "",
    why_no_gpus: str = "",
    mistakes: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """Return {address, interface, hcas: [{name, port, link_layer, gbps, gid_index, numa_node, trouble}], problem, gpus, why_no_gpus}.

    ``node`` is platform_node with ``rdma``; ``hcas`` are those that should carry tensors, in PCI order (_hca_choice, ``wanted``),
    ``mlx5_0`` or ``mlx5_0:2``; ``gid_index`` and ``address`` are declared ones. One that is down or missing keeps its place, so
    that the others meet whom they should; ``trouble`` says why it cannot take part. ``problem`` tells the ``mistakes`` of the
    choice. ``why_no_gpus``: why its GPUs cannot be measured, or empty.
    """
    known = (node.get("rdma") or {}).get("hcas") or {}
    address = address or _address(node)
    return {
        "address": address,
        "interface": _interface(node, address),
        "hcas": [_hca(known, wanted, gid_index) for wanted in hcas],
        "problem": " ".join(mistakes),
        "gpus": len(node.get("gpus") or []),
        "why_no_gpus": why_no_gpus,
    }


def live(end: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the HCAs of an end that can take part."""
    return [hca for hca in end["hcas"] if not hca["trouble"]]


def aligned(ends: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    """Return the ends with a place for each HCA that a node lacks and the node with most of them has, by their names.

    Without it the HCAs behind the gap would meet those of other rails. Nodes whose names differ otherwise stay as they are.
    """
    having = {name: [hca["name"] for hca in end["hcas"]] for name, end in ends.items() if end}
    first = max(having, key=lambda name: len(having[name]), default="")
    found = {}
    for name, end in ends.items():
        found[name] = dict(end)
        if having.get(name) and len(having[name]) < len(having[first]) and set(having[name]) <= set(having[first]):
            own = {hca["name"]: hca for hca in end["hcas"]}
            why = f"the node does not have it, and {first} does"
            found[name]["hcas"] = [own.get(one) or _absent(one, "1", why) for one in having[first]]
    return found


def _hca(known: t.Mapping[str, t.Any], wanted: str, declared: int | None) -> dict[str, t.Any]:
    name, _, number = wanted.partition(":")
    if name not in known:
        return _absent(name, number or "1", f"the node does not have it; it has {', '.join(sorted(known)) or 'no HCA'}")
    own = known[name]
    of_it = _hca_ports.ports({"hcas": known}, [name])
    meant = (
        [port for port in of_it if port.number == number] if number else sorted(of_it, key=lambda one: not one.active)
    )
    if not meant:
        return _absent(name, number or "1", f"it has no port {number or 'at all'}")
    port = own["ports"][meant[0].number]
    return {
        "name": name,
        "port": meant[0].number,
        "link_layer": port["link_layer"],
        "gbps": port["rate_gbps"] if meant[0].active else None,
        "gid_index": roce_gid(port) if declared is None else declared,
        "numa_node": own["numa_node"],
        "trouble": meant[0].trouble,
    }


def _absent(name: str, number: str, why: str) -> dict[str, t.Any]:
    unknown = {"link_layer": "", "gbps": None, "gid_index": None, "numa_node": None}
    return {"name": name, "port": number, **unknown, "trouble": why}


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
