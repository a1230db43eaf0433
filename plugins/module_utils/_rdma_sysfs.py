# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a node's RDMA devices and where they lie beside its GPUs, from files alone; no tool is needed.

``read()`` returns what ``node_facts`` gives as ``rdma``::

    {"hcas": {"mlx5_0": {
        "address": "0000:18:00.0",            # of its PCI function
        "path": ["pci0000:15", "0000:15:01.0", …, "0000:18:00.0"],     # its real path below /sys/devices
        "vendor": "15b3", "device": "1021", "driver": "mlx5_core", "numa_node": 0 | -1 | None,
        "virtual_function": False, "firmware": "28.41.1000", "board_id": "MT_0000000838", "hca_type": "MT4129",
        "node_guid": "…", "netdevs": ["ib0"],
        "pcie": {"speed_gts": 32.0, "width": 16, "max_speed_gts": 32.0, "max_width": 16},
        "ports": {"1": {"state": "ACTIVE", "physical_state": "LinkUp", "rate_gbps": 400.0, "rate": "400 Gb/sec (4X NDR)",
                        "link_layer": "InfiniBand", "lid": 28, "sm_lid": 1, "netdev": "ib0",
                        "gids": [{"index": 0, "gid": "fe80:…", "type": "IB/RoCE v1", "netdev": ""}]}}}},
     "gpus": {"0000:19:00.0": {"path": […], "numa_node": 0}},
     "default_route": "bond0", "below_default_route": ["eth0", "eth1"], "bonds": {"bond0": ["eth0", "eth1"]}}

What is absent is "", None or []. Without an RDMA device nothing else is read: all is empty then.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _node
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_ports import ports
from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import (
    ADDRESS,
    GPU_CLASSES,
    PCI_DEVICES,
    below,
    components,
    link_name,
    link_width,
    names,
    number,
    speed_gts,
    text,
)

CLASS = "/sys/class/infiniband"


def pcie(function: str) -> dict[str, t.Any]:
    """Return speed in GT/s and width in lanes of a PCI function's link, now and at most."""
    return {
        "speed_gts": speed_gts(text(f"{function}/current_link_speed")),
        "width": link_width(text(f"{function}/current_link_width")),
        "max_speed_gts": speed_gts(text(f"{function}/max_link_speed")),
        "max_width": link_width(text(f"{function}/max_link_width")),
    }


def hca(root: str, name: str) -> dict[str, t.Any]:
    """Return what sysfs says of one RDMA device. Soft-RoCE has no ``device``, so much of it is absent there."""
    base = below(root, f"{CLASS}/{name}")
    function = f"{base}/device"
    path = components(root, function)
    of_ports = ports(base)
    behind = sorted({port["netdev"] for port in of_ports.values() if port["netdev"]})
    return {
        "address": path[-1] if path and ADDRESS.fullmatch(path[-1]) else "",
        "path": path,
        "vendor": (text(f"{function}/vendor") or "")[2:],
        "device": (text(f"{function}/device") or "")[2:],
        "driver": link_name(f"{function}/driver"),
        "numa_node": number(text(f"{function}/numa_node")),
        "virtual_function": os.path.lexists(f"{function}/physfn"),
        "firmware": text(f"{base}/fw_ver") or "",
        "board_id": text(f"{base}/board_id") or "",
        "hca_type": text(f"{base}/hca_type") or "",
        "node_guid": text(f"{base}/node_guid") or "",
        "netdevs": names(f"{function}/net") or behind,
        "pcie": pcie(function),
        "ports": of_ports,
    }


def gpus(
    root: str, vendor: str = _node.NVIDIA_VENDOR, classes: t.Collection[str] = GPU_CLASSES
) -> dict[str, dict[str, t.Any]]:
    """Return {PCI address: {path, numa_node}} of the vendor's functions of these classes."""
    base = below(root, PCI_DEVICES)
    found = {}
    for address in names(base):
        function = f"{base}/{address}"
        if text(f"{function}/vendor") == vendor and (text(f"{function}/class") or "")[2:6] in classes:
            found[address] = {
                "path": components(root, function),
                "numa_node": number(text(f"{function}/numa_node")),
            }
    return found


def bonds(root: str) -> dict[str, list[str]]:
    """Return {bond: [its members]}."""
    base = below(root, "/sys/class/net")
    members = {name: text(f"{base}/{name}/bonding/slaves") for name in names(base)}
    return {name: said.split() for name, said in members.items() if said is not None}


def below_interface(root: str, name: str) -> list[str]:
    """Return all interfaces that this one lies on, as a VLAN on a card, a bridge on a bond, and the bond on its cards."""
    found: list[str] = []
    left = [name]
    while left:
        base = below(root, f"/sys/class/net/{left.pop()}")
        lower = [link[len("lower_") :] for link in names(base) if link.startswith("lower_")]
        left += [one for one in lower if one not in found]
        found += [one for one in lower if one not in found]
    return sorted(found)


def read(
    root: str = "/", vendor: str = _node.NVIDIA_VENDOR, classes: t.Collection[str] = GPU_CLASSES
) -> dict[str, t.Any]:
    """Return what is documented above. ``vendor`` and ``classes`` tell which PCI functions count as GPUs."""
    devices = names(below(root, CLASS))
    if not devices:
        return {"hcas": {}, "gpus": {}, "default_route": "", "below_default_route": [], "bonds": {}}
    default_route = _node.default_interface(root) or ""
    return {
        "hcas": {name: hca(root, name) for name in devices},
        "gpus": gpus(root, vendor, classes),
        "default_route": default_route,
        "below_default_route": below_interface(root, default_route) if default_route else [],
        "bonds": bonds(root),
    }
