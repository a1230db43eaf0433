# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the HCAs of a node that carry tensors between nodes, from its topology, with a reason for each that does not.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``rdma`` is what ``node_facts`` reads under that key. ``wishes`` may have

    used_by_engines  False: nothing is chosen
    hcas             names that win over everything; [] lets this module choose
    compute_hcas     how many there must be; 0 takes what there is
    rate_gbps        the rate that they must have; 0 takes the class that carries most together
    link_layer       InfiniBand, Ethernet or auto
    gid_index        the RoCE GID to use; None leaves it to NCCL, which finds it since 2.21
    topology_file    NCCL's description of the topology, for guests that do not see it
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _hca_doubts, _hca_topology
from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_doubts import Findings
from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_ports import (
    ETHERNET,
    Port,
    in_pci_order,
    ports,
    unfit,
)

DECLARE = "name it in rdma_hcas to use it"

#: Link layer and rate of ports that can talk to each other as equals.
Class = tuple[str, float]


def choose(rdma: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the choice of a node::

    {"hcas": ["mlx5_0", …] in PCI order, "wanted": ["mlx5_0:1", "mlx5_1", …], those and what should be among them,
     "nccl_ib_hca": "=mlx5_0:1,mlx5_3:1" or "", "gid_index": int or None,
     "address_family": "AF_INET6" where RoCE has no other address, else "", "link_layer": "InfiniBand" | "Ethernet" | "",
     "rate_gbps": float or None, "subnets": [prefixes of the InfiniBand subnets], "declared": bool, "verdict": one of
     _verdict.VERDICTS, "reasons": [sentence], "affinity": {GPU: {"hca", "distance"}}, "mistakes": [sentence],
     "suspects": [HCAs that are down and seem to belong to the chosen]}

    A mistake names the variable to change. What is absent never passes: nothing chosen is ``not_verified``. NCCL reads
    one ``=`` before the list as "exactly these"; without it a name is a prefix (NCCL 2.30, net_ib.cc).
    """
    found = Findings()
    names = in_pci_order(rdma)
    if not wishes.get("used_by_engines", True):
        found.reasons.append("rdma_used_by_engines is false: NCCL uses TCP between nodes")
        return _result([], [], {}, wishes, found)
    if not names and not wishes.get("compute_hcas") and not wishes.get("hcas"):
        found.reasons.append("no RDMA device (/sys/class/infiniband): NCCL uses TCP between nodes")
        return _result([], [], {}, wishes, found)
    if wishes.get("hcas"):
        chosen = _declared(rdma, wishes, names, found)
    else:
        chosen = _near_to_a_gpu(rdma, _by_rule(rdma, wishes, names, found), found)
    near = _nearest(rdma, chosen)
    _hca_doubts.topology(rdma, chosen, near, wishes, found)
    _hca_doubts.fabric(chosen, wishes, found)
    _hca_doubts.number(names, chosen, wishes, found)
    return _result(chosen, _wanted(names, chosen, wishes, found), _hca_topology.affinity(near), wishes, found)


def _result(
    chosen: t.Sequence[Port],
    wanted: t.Sequence[str],
    affinity: t.Mapping[str, t.Any],
    wishes: t.Mapping[str, t.Any],
    found: Findings,
) -> dict[str, t.Any]:
    layers = {port.layer for port in chosen}
    rates = {port.rate for port in chosen}
    roce = layers == {ETHERNET}
    return {
        "hcas": list(dict.fromkeys(port.hca for port in chosen)),
        "wanted": list(wanted),
        "nccl_ib_hca": "=" + ",".join(f"{port.hca}:{port.number}" for port in chosen) if chosen else "",
        "gid_index": wishes.get("gid_index") if roce else None,
        "address_family": "AF_INET6" if roce and _hca_doubts.only_ipv6(chosen) else "",
        "link_layer": next(iter(layers)) if len(layers) == 1 else "",
        "rate_gbps": next(iter(rates)) if len(rates) == 1 else None,
        "subnets": sorted({port.subnet() for port in chosen} - {""}),
        "declared": bool(wishes.get("hcas") or wishes.get("compute_hcas")),
        "verdict": found.verdict(chosen),
        "reasons": found.reasons,
        "affinity": dict(affinity),
        "mistakes": found.mistakes,
        "suspects": found.suspects,
    }


def _wanted(
    names: t.Sequence[str], chosen: t.Sequence[Port], wishes: t.Mapping[str, t.Any], found: Findings
) -> list[str]:
    """Return in PCI order the chosen ports and the HCAs that are down or missing and should be among them.

    Where the declared number is there without them, those that are down are spare ports of the same card.
    """
    of_hca: dict[str, list[str]] = {}
    for port in chosen:
        of_hca.setdefault(port.hca, []).append(f"{port.hca}:{port.number}")
    enough = bool(wishes.get("compute_hcas")) and len(of_hca) == wishes["compute_hcas"]
    should = list(wishes.get("hcas") or ()) or [*of_hca, *([] if enough else found.suspects)]
    order = [name for name in names if name in should]
    for at, name in enumerate(should):
        if name not in order:
            # A device that is not there has no address: it keeps its place in the list.
            before = should[at - 1] if at else ""
            order.insert(order.index(before) + 1 if before else 0, name)
    return [label for name in order for label in of_hca.get(name, [name])]


def _declared(
    rdma: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any], names: t.Sequence[str], found: Findings
) -> list[Port]:
    """Return the active ports of the declared HCAs; one that is not there, or cannot be used, is a mistake."""
    found.mistakes += [
        f"rdma_hcas: there is no {name}; the node has {', '.join(names) or 'no RDMA device (/sys/class/infiniband)'}. "
        "Write names that `ls /sys/class/infiniband` shows on this node."
        for name in wishes["hcas"]
        if name not in names
    ]
    chosen: list[Port] = []
    for name in names:
        if name not in wishes["hcas"]:
            found.reasons.append(f"{name}: left out, not in rdma_hcas")
            continue
        of_it = ports(rdma, [name])
        active = [port for port in of_it if port.active]
        chosen += active
        if not active:
            told = "; ".join(port.trouble for port in of_it) or "it has no port"
            found.mistakes.append(f"rdma_hcas: {name} cannot be used, {told}. Mend it, or take it out of the list.")
    return chosen


def _by_rule(
    rdma: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any], names: t.Sequence[str], found: Findings
) -> list[Port]:
    """Return the ports of the class that carries most together, of those that nothing speaks against."""
    fit: list[Port] = []
    down: list[Port] = []
    layer = wishes.get("link_layer") or "auto"
    for name in names:
        why = unfit(rdma, name)
        if why:
            found.reasons.append(f"{name}: left out, {why}; {DECLARE}")
            continue
        for port in ports(rdma, [name]):
            if layer not in ("auto", port.layer):
                found.reasons.append(f"{name}: left out, {port.layer or 'no known link layer'} where {layer} is wanted")
            elif not port.active:
                found.reasons.append(f"{name}: left out, {port.trouble}")
                down.append(port)
            else:
                fit.append(port)
    chosen = _one_class(fit, wishes, found)
    # Of a storage HCA that is down nobody is warned here: it is of another kind.
    kinds = {_kind(rdma, port.hca) for port in chosen}
    dead = [port.hca for port in down if port.hca not in {one.hca for one in chosen}]
    found.suspects = list(dict.fromkeys(name for name in dead if not chosen or _kind(rdma, name) in kinds))
    return chosen


def _kind(rdma: t.Mapping[str, t.Any], name: str) -> tuple[str, str]:
    return rdma["hcas"][name]["hca_type"], rdma["hcas"][name]["board_id"]


def _one_class(fit: t.Sequence[Port], wishes: t.Mapping[str, t.Any], found: Findings) -> list[Port]:
    """Return the ports of one link layer and rate, and say of the others why not."""
    classes: dict[Class, list[Port]] = {}
    for port in fit:
        if port.rate is None:
            found.reasons.append(f"{port.hca}: left out, the rate of its port {port.number} cannot be read")
        elif wishes.get("rate_gbps") and port.rate != wishes["rate_gbps"]:
            found.reasons.append(f"{port.hca}: left out, {port.rate:g} Gb/s where {wishes['rate_gbps']:g} is wanted")
        else:
            classes.setdefault((port.layer, port.rate), []).append(port)
    if not classes:
        return []
    best = max(classes, key=lambda one: _together(one, classes))
    equal = sorted(one for one in classes if _together(one, classes) == _together(best, classes))
    if len(equal) > 1:
        told = " and ".join(f"{', '.join(port.hca for port in classes[one])} ({one[0]})" for one in equal)
        found.mistakes.append(
            f"rdma_link_layer: {told} carry the same, and nothing passes between two fabrics; write "
            f"{' or '.join(layer for layer, _rate in equal)}."
        )
        return []
    for one, members in classes.items():
        why = f"{one[1]:g} Gb/s where the others have {best[1]:g}"
        why = why if one[0] == best[0] else f"{one[0]} where the others are {best[0]}"
        found.reasons += [f"{port.hca}: left out, {why}" for port in members if one != best]
    return classes[best]


def _together(one: Class, classes: t.Mapping[Class, t.Sequence[Port]]) -> tuple[float, float]:
    """Return what a class carries together, in Gb/s, and, to decide between equal ones, its rate."""
    return one[1] * len(classes[one]), one[1]


def _nearest(rdma: t.Mapping[str, t.Any], chosen: t.Sequence[Port]) -> dict[str, tuple[list[str], str]]:
    return _hca_topology.nearest(rdma["gpus"], {port.hca: rdma["hcas"][port.hca] for port in chosen})


def _near_to_a_gpu(rdma: t.Mapping[str, t.Any], fit: t.Sequence[Port], found: Findings) -> list[Port]:
    """Return the ports of those HCAs to which no other is nearer for at least one GPU; all where no GPU is seen."""
    near = _nearest(rdma, fit)
    wanted = {name for names, _far in near.values() for name in names}
    if not near:
        return list(fit)
    for name in dict.fromkeys(port.hca for port in fit if port.hca not in wanted):
        found.reasons.append(f"{name}: left out, for every GPU another one is nearer; {DECLARE}")
    return [port for port in fit if port.hca in wanted]
