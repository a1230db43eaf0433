# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RDMA in a plan: what containers of deployments over several nodes get, what keeps nodes apart, and why each HCA was taken.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``fabric`` is {node: {choice, containers}}, what the role ``rdma`` decided (``_hca_choice``, ``_rdma_containers``); a node
that nobody looked at is not in it.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _hca_fleet
from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment

Fabric = t.Mapping[str, t.Mapping[str, t.Any]]


def needs(fabric: Fabric, node: str, wanted: bool = True) -> dict[str, t.Any]:
    """Return {environment: {name: (value, reason)}, devices, mounts} of a container there; empty where it is not wanted."""
    found = fabric.get(node, {}).get("containers") if wanted else None
    if not found:
        return {"environment": {}, "devices": [], "mounts": []}
    return {
        "environment": {name: (pair[0], pair[1]) for name, pair in found["environment"].items()},
        "devices": list(found["devices"]),
        "mounts": list(found["mounts"]),
    }


def crossed(deployments: t.Iterable[Deployment]) -> list[str]:
    """Return the nodes of those deployments that have several, each once."""
    return list(dict.fromkeys(node for one in deployments if len(one.nodes) > 1 for node in one.nodes))


def mistakes(fabric: Fabric, deployments: t.Iterable[Deployment]) -> list[str]:
    """Return what keeps the nodes of a deployment from reaching each other as equals."""
    found = [
        f"{one.name}: {mistake}"
        for one in deployments
        for mistake in _hca_fleet.mistakes({node: fabric[node]["choice"] for node in one.nodes if fabric.get(node)})
    ]
    return list(dict.fromkeys(found))


def lines(fabric: Fabric, nodes: t.Iterable[str]) -> list[str]:
    """Return for people what the nodes use between them; nodes that choose alike, for the same reasons, share their lines."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for node in nodes:
        if fabric.get(node):
            choice = fabric[node]["choice"]
            alike.setdefault((choice["nccl_ib_hca"] or "no HCA", *choice["reasons"]), []).append(node)
    found = []
    for (chosen, *reasons), members in alike.items():
        found += [f"between nodes, {', '.join(members)}: {chosen.removeprefix('=')}", *(f"  {why}" for why in reasons)]
    return ["", *found] if found else []
