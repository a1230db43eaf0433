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
        return [
            *self.command(deployment, place, "mp"),
            *(together if place.nodes > 1 else []),
            *self.flags(deployment),
            *self.extra_words(deployment),
        ]

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
