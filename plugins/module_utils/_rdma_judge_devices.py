# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of which RDMA devices there are: how many, of one kind, with one firmware, near which GPUs.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_common import (
    NO_HCA,
    SEE_DEVICES,
    Bad,
    Finding,
    Judged,
    Node,
    Skip,
    counted,
    not_said,
    over,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_roles import left_out
from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import ADDRESS
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS, WARN

_CLASS = "/sys/class/infiniband"
_RESEAT = (
    "Compare with what is plugged in. On the bus without a driver: load mlx5_core and mlx5_ib. Not on the bus: reseat "
    "or replace the card. Seen but not counted: list hcas by name in expect."
)


def _rest(node: Node) -> str:
    """Return why the other devices do not count, and which cards have no device at all."""
    why = left_out(node.read["rdma"])
    others = [
        f"{name}: {why.get(name, 'of another link or card')}" for name in node.all_hcas if name not in node.compute
    ]
    used = {one["address"] for one in node.all_hcas.values()}
    bare = [
        f"{address} on the bus: {driver or 'no driver'}, no RDMA device"
        for address, driver in node.read["on_bus"].items()
        if address not in used and not _second_of_bond(node, address)
    ]
    return "; ".join([*others, *bare])


def _second_of_bond(node: Node, address: str) -> bool:
    """A bond is one device of the first function; the other functions of its card have none."""
    slots = {one["address"].partition(".")[0] for name, one in node.all_hcas.items() if "bond" in name}
    return address.partition(".")[0] in slots


def devices(node: Node) -> Judged:
    wished, rest = node.profile.hcas, _rest(node)
    observed = ", ".join(node.compute) or "none"
    seen = f"{len(node.compute)}: {observed}" + (f" ({rest})" if rest else "")
    if wished is None:
        return not_said("hcas", seen, _CLASS)
    if isinstance(wished, tuple):
        missing = [name for name in wished if name not in node.all_hcas]
        if missing:
            return Finding(FAIL, f"missing: {', '.join(missing)}; there: {seen}", ", ".join(wished), _RESEAT, _CLASS)
        return Finding(PASS, observed, ", ".join(wished), source=_CLASS)
    if len(node.compute) != wished:
        remedy = _RESEAT if len(node.compute) < wished else "Correct hcas in expect, or list the HCAs by name."
        return Finding(FAIL, seen, wished, remedy, _CLASS)
    return Finding(PASS, seen, wished, source=_CLASS)


def storage(node: Node) -> Judged:
    """Storage HCAs: there and active; by number, whatever is neither for GPUs nor left out."""
    wished = node.profile.storage_hcas
    if wished is None:
        return Skip("expect names no storage HCAs")
    why = left_out(node.read["rdma"])
    candidates = (
        wished if isinstance(wished, tuple) else [one for one in node.all_hcas if one not in {*node.compute, *why}]
    )
    there = {name: node.all_hcas[name] for name in candidates if name in node.all_hcas}
    states = {name: [port["state"] for port in one["ports"].values()] for name, one in there.items()}
    unread = [name for name, found in states.items() if not any(found)]
    active = [name for name, found in states.items() if found and set(found) == {"ACTIVE"}]
    least = wished if isinstance(wished, int) else len(wished)
    observed = counted({name: "/".join(states[name]) if name in states else "missing" for name in candidates}) or "none"
    if len(active) >= least:
        return Finding(PASS, observed, wished, source=_CLASS)
    if len(active) + len(unread) >= least:
        return Finding(NOT_VERIFIED, observed, wished, f"Look at the ports in {_CLASS} by hand.", _CLASS)
    return Finding(
        FAIL, observed, wished, "Storage would be slow or away: reseat the card, look at cable and port.", _CLASS
    )


def _uniform(node: Node, key: str, wished: str | None, what: str, remedy: str, source: str) -> Judged:
    values = {name: one[key] for name, one in node.hcas.items()}
    if wished:
        return over(values, lambda _name, value: None if value == wished else Bad(FAIL, value), wished, remedy, source)
    found = over(values, lambda _name, value: None, f"one {what}", remedy, source)
    if found.verdict == PASS and len(set(values.values())) > 1:
        return Finding(WARN, counted(values), f"one {what}", remedy, source)
    return found


def hca_type(node: Node) -> Judged:
    remedy = "HCAs of different kinds pace each other: use cards of one kind for GPUs, or list hcas by name in expect."
    return _uniform(node, "hca_type", node.profile.hca_type, "type", remedy, f"{_CLASS}/*/hca_type")


def board(node: Node) -> Judged:
    remedy = "Boards of different makers take different firmware: look at each with mlxfwmanager before an update."
    return _uniform(node, "board_id", None, "board id", remedy, f"{_CLASS}/*/board_id")


def firmware(node: Node) -> Judged:
    remedy = "Bring all to one version with mlxfwmanager and reboot; note it in expect.firmware."
    return _uniform(node, "firmware", node.profile.firmware, "firmware", remedy, f"{_CLASS}/*/fw_ver")


def topology(node: Node) -> Judged:
    """NCCL pairs GPUs with HCAs by their paths; on a flat bus of a guest it has nothing to go by."""
    source = "/sys/devices, /etc/nccl.conf"
    if not node.gpus:
        return Skip("there is no NVIDIA GPU here")
    if not node.hcas:
        return Finding(NOT_VERIFIED, NO_HCA, remedy=SEE_DEVICES, source=source)
    if node.read["topology_file"]:
        return Finding(PASS, node.read["topology_file"], source=source)
    declared = node.profile.topology_file
    if declared:
        remedy = "Bring the provider's file there: containers would get an empty directory in its place."
        return Finding(FAIL, f"{declared} is not there", declared, remedy, source)
    blind = [name for name, one in node.hcas.items() if not one["path"]]
    if blind:
        remedy = "Look with readlink -f at their device in /sys/class/infiniband."
        return Finding(NOT_VERIFIED, f"no path: {', '.join(blind)}", remedy=remedy, source=source)
    flat = [
        name
        for name, one in {**node.hcas, **node.gpus}.items()
        if not any(ADDRESS.fullmatch(part) for part in one["path"][:-1]) and one["numa_node"] in (None, -1)
    ]
    if flat:
        remedy = (
            "Take the provider's topology file, or write one from the host's view, and name it in rdma_topology_file "
            "(topology_file in expect, NCCL_TOPO_FILE in /etc/nccl.conf); list hcas by name in expect."
        )
        return Finding(NOT_VERIFIED, f"flat bus, no NUMA node: {', '.join(flat)}", "known", remedy, source)
    far = sorted(
        {one["numa_node"] for one in node.gpus.values()} - {one["numa_node"] for one in node.hcas.values()} - {None}
    )
    if far:
        remedy = "GPUs there reach the network across sockets: plug an HCA in at that socket, or expect less bandwidth."
        return Finding(WARN, f"no HCA at NUMA node {', '.join(map(str, far))}", "an HCA near each GPU", remedy, source)
    return Finding(PASS, "known", source=source)


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "RDMA devices": devices,
    "storage HCAs": storage,
    "HCA type": hca_type,
    "HCA board": board,
    "HCA firmware": firmware,
    "topology": topology,
}
