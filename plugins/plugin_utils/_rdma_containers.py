# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container needs so that NCCL uses the chosen HCAs: variables with their reasons, devices, mounts.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import FILES_IN_CONTAINER
from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_ports import ETHERNET
from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_topology import DISTANCES

DEVICES = "/dev/infiniband"
TOPOLOGY_IN_CONTAINER = f"{FILES_IN_CONTAINER}/nccl_topology.xml"

Environment = dict[str, tuple[str, str]]


def needs(choice: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return {environment: {name: (value, reason)}, devices: [path], mounts: [source:target:ro]} for a choice of HCAs.

    As little as possible is set: what NCCL finds by itself stays unset (NCCL 2.30).
    """
    if not wishes.get("used_by_engines", True):
        return {
            "environment": {"NCCL_IB_DISABLE": ("1", "rdma_used_by_engines is false")},
            "devices": [],
            "mounts": [],
        }
    if not choice["hcas"]:
        return {"environment": {}, "devices": [], "mounts": []}
    environment: Environment = {"NCCL_IB_HCA": (choice["nccl_ib_hca"], _why(choice))}
    if choice["gid_index"] is not None:
        environment["NCCL_IB_GID_INDEX"] = (str(choice["gid_index"]), "rdma_gid_index")
    if choice["address_family"]:
        environment["NCCL_IB_ADDR_FAMILY"] = (
            choice["address_family"],
            "RoCE has no IPv4 address here; NCCL looks for one",
        )
    if choice["link_layer"] == ETHERNET and wishes.get("traffic_class") is not None:
        environment["NCCL_IB_TC"] = (
            str(wishes["traffic_class"]),
            "rdma_traffic_class, the class of the fabric's switches",
        )
    mounts = []
    if wishes.get("topology_file"):
        environment["NCCL_TOPO_FILE"] = (TOPOLOGY_IN_CONTAINER, "the guest does not see how near GPUs and HCAs are")
        mounts.append(f"{wishes['topology_file']}:{TOPOLOGY_IN_CONTAINER}:ro")
    return {"environment": environment, "devices": [DEVICES], "mounts": mounts}


def _why(choice: t.Mapping[str, t.Any]) -> str:
    rate = f" of {choice['rate_gbps']:g} Gb/s" if choice["rate_gbps"] else ""
    far = [one["distance"] for one in choice["affinity"].values()]
    near = ", ".join(f"{one} to {far.count(one)}" for one in DISTANCES if one in far)
    gpus = f"; {near} of {len(far)} GPUs" if near else ""
    return f"{len(choice['hcas'])} {choice['link_layer']} HCAs{rate}{gpus}; exactly these: without = a name is a prefix"


def nccl_conf(needed: t.Mapping[str, t.Any]) -> str:
    """Return the text of ``/etc/nccl.conf`` from what ``needs`` returned: NAME=value, the reason above it.

    NCCL splits at the first =. Files have their names on the node there, not those inside of containers.
    """
    on_node = {target: source for source, target, _mode in (mount.rsplit(":", 2) for mount in needed["mounts"])}
    lines = ["# Written by the role gpufleet.inference.rdma; changes made here are lost."]
    for name, (value, why) in sorted(needed["environment"].items()):
        lines += [f"# {why}", f"{name}={on_node.get(value, value)}"]
    return "\n".join(lines) + "\n"
