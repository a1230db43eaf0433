# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger of GPUs: which deployment has which GPUs of which node.

Engines without Ray get theirs by number, lowest first, in the order of ``engine_deployments``. Ray gets as many of what is left
as its engines take on that node, and deals them out by itself.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _registry
from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._members import Member


def taken(one: Deployment, member: Member) -> int:
    """Return how many GPUs of a node a deployment takes."""
    return one.gpus_per_node or member.gpus


def mistakes(deployments: t.Sequence[Deployment], members: t.Mapping[str, Member]) -> list[str]:
    """Compare ranks with GPUs, and deployments with each other. Each member of a group gets the same number of ranks."""
    found: list[str] = []
    for one in deployments:
        found += _of_one(one, members)
    for name, member in members.items():
        here = [one for one in deployments if name in one.nodes]
        wanted = sum(taken(one, member) for one in here)
        if len(here) > 1 and wanted > member.gpus:
            parts = ", ".join(f"{one.name} {taken(one, member)}" for one in here)
            found.append(
                f"{name} has {member.gpus} GPUs, and {wanted} are wanted ({parts}); "
                "set gpus_per_node of these deployments, or give them different nodes"
            )
    return found


def _of_one(one: Deployment, members: t.Mapping[str, Member]) -> list[str]:
    where, nodes = f"deployment {one.name}", len(one.nodes)
    product = f"tensor_parallel {one.tensor_parallel} × pipeline_parallel {one.pipeline_parallel}"
    product += f" × data_parallel {one.data_parallel}" if one.data_parallel > 1 else ""
    product += f" = {one.ranks} ranks"
    without = [node for node in one.nodes if not members[node].gpus]
    if without:
        return [
            f"{where}: no GPU is seen on {', '.join(without)}; "
            "take it out of nodes, repair it, or declare ray_cluster_gpus"
        ]
    small = [f"{node} ({members[node].gpus})" for node in one.nodes if one.gpus_per_node > members[node].gpus]
    if small:
        return [f"{where}: gpus_per_node {one.gpus_per_node} is more than these nodes have: {', '.join(small)}"]
    gpus = sum(taken(one, members[node]) for node in one.nodes)
    if one.ranks > gpus:
        return [f"{where}: {product}, but its {nodes} nodes have {gpus} GPUs for it"]
    if one.ranks % nodes:
        return [f"{where}: {product} cannot be spread evenly over {nodes} nodes; change the sizes or nodes"]
    if one.ranks != gpus:
        return [
            f"{where}: {product}, but its {nodes} nodes have {gpus} GPUs for it; use all of them, name fewer nodes, "
            f"or set gpus_per_node: {one.ranks // nodes}"
        ]
    shares = {taken(one, members[node]) for node in one.nodes}
    if not _registry.engine(one.engine).needs_ray and len(shares) > 1:
        have = ", ".join(f"{node} has {members[node].gpus}" for node in one.nodes)
        return [
            f"{where}: {one.engine} runs as many ranks on each node, but {have} GPUs; "
            "name nodes that are alike, or set gpus_per_node"
        ]
    return []


def deal(
    deployments: t.Sequence[Deployment], members: t.Mapping[str, Member]
) -> tuple[dict[tuple[str, str], list[int]], dict[str, list[int]]]:
    """Return ({(deployment, node): GPU numbers} of engines without Ray, {node: GPU numbers} of Ray)."""
    dealt: dict[tuple[str, str], list[int]] = {}
    free = {name: list(range(member.gpus)) for name, member in members.items()}
    for one in deployments:
        if _registry.engine(one.engine).needs_ray:
            continue
        for node in one.nodes:
            count = taken(one, members[node])
            dealt[one.name, node], free[node] = free[node][:count], free[node][count:]
    rays = [one for one in deployments if _registry.engine(one.engine).needs_ray]
    if not rays:
        return dealt, free
    # Not all that is left: Ray places an engine on any node that has GPUs for it, also on one that it does not name.
    wanted = {name: sum(taken(one, member) for one in rays if name in one.nodes) for name, member in members.items()}
    return dealt, {name: numbers[: wanted[name]] for name, numbers in free.items()}
