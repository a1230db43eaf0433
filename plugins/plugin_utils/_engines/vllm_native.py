# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vLLM without Ray: one container per node, which meet at a port of the first one (``--nnodes``, multiprocessing).

It needs none of Ray's ports. But the first rank answers /health with 200 although another one is dead, until the next
request: the group's supervisor has to watch all ranks, and that tokens flow.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import Place
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engines.vllm import Vllm


class VllmNative(Vllm):
    """vLLM with ``--distributed-executor-backend mp``; flags and options are those of vLLM on Ray."""

    name = "vllm_native"
    needs_ray = False
    meets = True
    instead_of_data_parallel = ""

    def mistakes(self, deployment: Deployment, where: str) -> list[str]:
        found = super().mistakes(deployment, where)
        if deployment.data_parallel > 1 and deployment.data_parallel % max(len(deployment.nodes), 1):
            nodes = len(deployment.nodes)
            found.append(
                f"{where}.data_parallel: {deployment.data_parallel} cannot be dealt out evenly to {nodes} nodes"
            )
        return found

    def argv(self, deployment: Deployment, place: Place) -> list[str]:
        together = [
            "--nnodes",
            str(place.nodes),
            "--node-rank",
            str(place.rank),
            "--master-addr",
            place.head_address,
            "--master-port",
            str(deployment.rendezvous_port),
            # Without it a further rank comes up as a server of its own and waits for ever; vLLM does not refuse that.
            *(["--headless"] if place.rank else []),
        ]
        # Their address, and how many a node has, follow from --master-addr and --nnodes.
        replicas = ["--data-parallel-size", str(deployment.data_parallel)]
        replicas += [
            word for port in self.further_ports(deployment) for word in ("--data-parallel-rpc-port", str(port))
        ]
        return [
            *self.command(deployment, place, "mp"),
            *(together if place.nodes > 1 else []),
            *(replicas if deployment.data_parallel > 1 else []),
            *self.flags(deployment),
            *self.extra_words(deployment),
        ]

    def further_ports(self, deployment: Deployment) -> dict[int, str]:
        if deployment.data_parallel < 2 or len(deployment.nodes) < 2:
            return {}
        return {deployment.rendezvous_port + 1: "rendezvous_port + 1 (data parallel)"}

    def env(self, deployment: Deployment, place: Place) -> dict[str, tuple[str, str]]:
        return {**super().env(deployment, place), **between_nodes(place)}

    def start_order(self, nodes: Sequence[str]) -> list[str]:
        return list(nodes)


def between_nodes(place: Place) -> dict[str, tuple[str, str]]:
    """Return the variables of Gloo and NCCL that ranks on several nodes need; none on one node."""
    if place.nodes == 1:
        return {}
    return {
        "GLOO_SOCKET_IFNAME": (place.interface, "the interface of this node's address; names differ between nodes"),
        "NCCL_SOCKET_IFNAME": (f"={place.interface}", "the same, exact: without = it is a prefix"),
    }
