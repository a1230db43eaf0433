# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far an HCA lies from a GPU, by their paths in sysfs: pure functions on plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

A *place* is what ``node_facts`` says of a PCI function: ``path``, the components of its real path below ``/sys/devices``,
and ``numa_node``, an int (-1 where the firmware says none) or None.
"""

from __future__ import annotations

import re
import typing as t

#: From near to far, as NCCL and ``nvidia-smi topo -m`` call them: at most one PCIe switch, several switches, the host
#: bridge, the same NUMA node, across sockets. GPUDirect RDMA is used up to PXB (NCCL_NET_GDR_LEVEL; NCCL 2.30).
DISTANCES = ("PIX", "PXB", "PHB", "NODE", "SYS")
GPU_DIRECT = ("PIX", "PXB")

_FUNCTION = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")

Place = t.Mapping[str, t.Any]


def distance(one: Place, other: Place) -> str:
    """Return one of DISTANCES between two PCI functions; empty where a path is not known."""
    left, right = list(one.get("path") or []), list(other.get("path") or [])
    if not left or not right:
        return ""
    shared = 0
    while shared < min(len(left), len(right)) and left[shared] == right[shared]:
        shared += 1
    if shared and _FUNCTION.fullmatch(left[shared - 1]):
        # Below the port that both share, each further switch adds two bridges: its upstream and a downstream port.
        bridges = max(len(left), len(right)) - shared - 1
        return "PIX" if bridges <= 1 else "PXB"
    if shared:
        return "PHB"
    nodes = (one.get("numa_node"), other.get("numa_node"))
    return "NODE" if nodes[0] == nodes[1] and isinstance(nodes[0], int) and nodes[0] >= 0 else "SYS"


def is_visible(gpus: t.Mapping[str, Place], hcas: t.Mapping[str, Place]) -> bool:
    """Tell whether the paths say anything: a guest shows all of them on one flat bus, or each by itself without NUMA nodes."""
    if any(distance(gpu, hca) in GPU_DIRECT for gpu in gpus.values() for hca in hcas.values()):
        return True
    places = [*gpus.values(), *hcas.values()]
    numa = any(isinstance(one.get("numa_node"), int) and one["numa_node"] >= 0 for one in places)
    return numa and any(len(one.get("path") or []) > 2 for one in places)


def nearest(gpus: t.Mapping[str, Place], hcas: t.Mapping[str, Place]) -> dict[str, tuple[list[str], str]]:
    """Return {GPU: (its nearest HCAs in the given order, their distance)}; a GPU without any known distance is left out."""
    found: dict[str, tuple[list[str], str]] = {}
    for address, gpu in gpus.items():
        far = {name: DISTANCES.index(said) for name, hca in hcas.items() if (said := distance(gpu, hca))}
        if far:
            best = min(far.values())
            found[address] = ([name for name in hcas if far.get(name) == best], DISTANCES[best])
    return found


def affinity(near: t.Mapping[str, tuple[t.Sequence[str], str]]) -> dict[str, dict[str, str]]:
    """Return {GPU: {hca, distance}}: one of its nearest, so that GPUs with the same choice share evenly."""
    used: dict[str, int] = {}
    found = {}
    for address in sorted(near):
        names, far = near[address]
        chosen = min(names, key=lambda name: used.get(name, 0))
        used[chosen] = used.get(chosen, 0) + 1
        found[address] = {"hca": chosen, "distance": far}
    return found
