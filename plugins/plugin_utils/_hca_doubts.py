# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks against a choice of HCAs: no topology, two fabrics, too few, no address; each with what to do.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``wishes`` are those of ``_hca_choice``; ``near`` is what ``_hca_topology.nearest`` returned for the chosen ports.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_ports import ETHERNET, Port
from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_topology import GPU_DIRECT, is_visible

NO_TOPOLOGY = (
    "the paths of GPUs and HCAs say nothing of their distance, as in a guest on one flat bus, and so NCCL cannot tell either "
    "which HCA is near: take the provider's topology file and name it in rdma_topology_file (NCCL_TOPO_FILE)"
)

#: NCCL's own default, NCCL 2.30; what it does instead: src/graph/paths.cc.
TOO_FAR = (
    "GPUDirect RDMA is not used at {far} ({gpus}): NCCL sends by way of a GPU that is nearer, over NVLink (PXN), and copies "
    "through host memory where there is none (NCCL_NET_GDR_LEVEL)"
)

NO_DEVICE = (
    "the node has no RDMA device (/sys/class/infiniband). `lspci -d 15b3:` tells whether the kernel sees the cards, "
    "`modprobe mlx5_ib` loads what makes them devices"
)

Near = t.Mapping[str, tuple[t.Sequence[str], str]]


@dataclasses.dataclass
class Findings:
    """What was found on the way: reasons for people, mistakes that stop the plan, HCAs that should be among the chosen."""

    reasons: list[str] = dataclasses.field(default_factory=list)
    mistakes: list[str] = dataclasses.field(default_factory=list)
    suspects: list[str] = dataclasses.field(default_factory=list)
    warned: bool = False
    unseen: bool = False

    def warn(self, reason: str) -> None:
        """Keep a reason that is more than information."""
        self.reasons.append(reason)
        self.warned = True

    def verdict(self, chosen: t.Sequence[Port]) -> str:
        """Return the worst: a mistake fails; nothing chosen, or chosen without knowing, is not verified."""
        if self.mistakes:
            return "fail"
        if self.unseen or not chosen:
            return "not_verified"
        return "warn" if self.warned or self.suspects else "pass"


def topology(
    rdma: t.Mapping[str, t.Any],
    chosen: t.Sequence[Port],
    near: Near,
    wishes: t.Mapping[str, t.Any],
    found: Findings,
) -> None:
    """Doubt a choice of which nobody can tell how near it is, and name the GPUs that GPUDirect RDMA does not reach."""
    if not chosen:
        return
    if wishes.get("topology_file"):
        found.reasons.append(f"the topology comes from {wishes['topology_file']}")
    elif not rdma["gpus"]:
        found.unseen = True
        found.reasons.append("no GPU on the PCI bus: nobody can tell which HCA is near one")
    elif not is_visible(rdma["gpus"], {port.hca: rdma["hcas"][port.hca] for port in chosen}):
        found.unseen = True
        found.reasons.append(NO_TOPOLOGY)
    else:
        for far in dict.fromkeys(far for _names, far in near.values() if far not in GPU_DIRECT):
            gpus = [address for address, (_names, one) in sorted(near.items()) if one == far]
            found.reasons.append(TOO_FAR.format(far=far, gpus=", ".join(gpus)))


def fabric(chosen: t.Sequence[Port], wishes: t.Mapping[str, t.Any], found: Findings) -> None:
    """Refuse a choice over two fabrics, and RoCE at a GID that is not there; doubt mixed rates and subnets."""
    if len({port.layer for port in chosen}) > 1:
        told = ", ".join(f"{port.hca} {port.layer}" for port in chosen)
        found.mistakes.append(f"rdma_hcas: {told}: nothing passes between two fabrics; name HCAs of one of them.")
        return
    if len({port.rate for port in chosen}) > 1:
        told = ", ".join(f"{port.hca} {port.rate or 0:g} Gb/s" for port in chosen)
        found.warn(f"the HCAs differ in rate ({told}): the slowest holds up the others")
    subnets = {port.subnet() for port in chosen} - {""}
    # One subnet per HCA is how fabrics of rails are built.
    if 1 < len(subnets) < len(chosen):
        found.warn(
            f"the HCAs are in {len(subnets)} InfiniBand subnets ({', '.join(sorted(subnets))}): compute and storage?"
        )
    if chosen and chosen[0].layer == ETHERNET:
        _gids(chosen, wishes, found)


def _gids(chosen: t.Sequence[Port], wishes: t.Mapping[str, t.Any], found: Findings) -> None:
    index = wishes.get("gid_index")
    for port in chosen:
        usable = {at: address for at, address in port.roce() if not address.is_link_local}
        if not usable:
            found.warn(f"{port.hca}: no RoCE v2 GID of an address; give its interface an IP address")
        elif index is not None and index not in usable:
            told = ", ".join(f"{at} ({address})" for at, address in usable.items())
            found.mistakes.append(
                f"rdma_gid_index: {port.hca} has no RoCE v2 GID {index}, it has {told}. Write one that all HCAs have, or "
                "null: NCCL finds it by itself since 2.21."
            )


def only_ipv6(chosen: t.Sequence[Port]) -> bool:
    """Tell whether RoCE has addresses, and none of IPv4, which is all that NCCL looks for unless told."""
    addresses = [address for port in chosen for _at, address in port.roce() if not address.is_link_local]
    return bool(addresses) and not any(isinstance(one, ipaddress.IPv4Address) for one in addresses)


def number(names: t.Sequence[str], chosen: t.Sequence[Port], wishes: t.Mapping[str, t.Any], found: Findings) -> None:
    """Refuse another number of HCAs than was declared; a mistake that was found before explains it already."""
    wanted = wishes.get("compute_hcas") or 0
    have = list(dict.fromkeys(port.hca for port in chosen))
    if not wanted or len(have) == wanted or found.mistakes:
        return
    if not names:
        found.mistakes.append(f"rdma_compute_hcas: {wanted} are wanted, and {NO_DEVICE}. Write 0 for a node without.")
        return
    # What is down explains it; where nothing is, whatever was left out does.
    others = [reason for reason in found.reasons if reason.partition(":")[0] in (found.suspects or names)]
    told = "; ".join([f"{len(have)} can be used ({', '.join(have) or 'none'})", *others])
    found.mistakes.append(
        f"rdma_compute_hcas: {wanted} are wanted, {told}. Mend what is left out, or declare rdma_hcas or another number for "
        "this node."
    )
