# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: deployment_plans
short_description: From wishes and facts to plans, or to a list of all mistakes
version_added: 0.1.0
description:
  - Returns exactly what must run for each deployment, for the Ray cluster and behind the gateway, as plain data.
  - When anything is wrong, returns nothing but C(mistakes), one sentence each, with the variable to change.
author: The gpufleet founders (@gpufleet)
positional: []
options:
  _input:
    description: The items of C(engine_deployments), see C(docs/deployments.md).
    type: list
    elements: dict
    required: true
  members:
    description: Inventory names of all nodes.
    type: list
    elements: str
    required: true
  hostvars:
    description: Ansible's C(hostvars); C(platform_node) must have been read.
    type: dict
    required: true
  models:
    description: What the controller sees of the models, see P(gpufleet.inference.controller_sources#lookup).
    type: dict
    required: true
  images:
    description: What the controller sees of the images.
    type: dict
    required: true
  ray:
    description: What the Ray cluster was told.
    type: dict
    required: true
  gateway:
    description: C(nodes) of the gateway, and its C(ports) by the variable that sets each.
    type: dict
    required: true
  texts:
    description: Variable name to text in which placeholders of the examples are looked for.
    type: dict
    required: true
  directory:
    description: Where the ranks' files lie on the nodes.
    type: str
    required: true
  mistakes:
    description: Node to what other roles found wrong with their own wishes for it; listed first.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show what would run
  ansible.builtin.debug:
    var: engine_fleet.deployments
"""

RETURN = r"""
_value:
  description: C(ray), C(deployments), C(endpoints), C(table) (lines for people) and an empty C(mistakes); or C(mistakes) alone.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_catalog
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _plan, _plan_mistakes

#: Per-node declarations, read from the inventory's host and group variables.
DECLARED = {
    "address": "ray_cluster_address",
    "interface": "ray_cluster_interface",
    "gpus": "ray_cluster_gpus",
    "read_gbs": "engine_read_gbs",
}


#: What CUDA takes of a card's memory as NVML tells it, GiB: H100 79.6 → 79.1, H20 95.6 → 95.0, H200 140.4 → 139.8.
CUDA_GIB = 0.6


def poorest(gpus: t.Sequence[t.Mapping[str, str]]) -> dict[str, t.Any]:
    """Return {gpu_gib, gpu_kind, gpu_gbs} of the GPU with the least memory; empty when a kind is not in the catalogue."""
    cards = [_gpu_catalog.find(gpu["device"]) for gpu in gpus]
    known = [card for card in cards if card and card.memory_gib]
    if not known or len(known) < len(cards):
        return {}
    card = min(known, key=lambda one: one.memory_gib or 0)
    speed = {"gpu_gbs": card.memory_bandwidth_gb_s} if card.memory_bandwidth_gb_s else {}
    return {"gpu_gib": round((card.memory_gib or 0) - CUDA_GIB, 2), "gpu_kind": card.kind, **speed}


def nodes(names: t.Sequence[str], hostvars: t.Mapping[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Return {name: {facts, platform, address, interface, gpus, gpu}} of the named hosts."""
    return {
        name: {
            "facts": hostvars[name]["platform_node"],
            "gpu": poorest(hostvars[name]["platform_node"].get("gpus", [])),
            "platform": hostvars[name]["platform_name"],
            **{key: hostvars[name].get(variable) for key, variable in DECLARED.items()},
        }
        for name in names
    }


#: Where the engine role keeps what a node said of models that have no source.
READ = "__engine_read"


def with_read(
    models: t.Mapping[str, t.Any], names: t.Sequence[str], hostvars: t.Mapping[str, t.Any]
) -> dict[str, dict[str, t.Any]]:
    """Return the models, those that only the nodes have with what the nodes read; a problem names its node."""
    found = {name: dict(model) for name, model in models.items()}
    for node in names:
        for name, read in (hostvars[node].get(READ) or {}).get("models", {}).items():
            model = found.get(name)
            if not model or model.get("kind") != "node":
                continue
            if not model.get("config"):
                model.update({key: read.get(key) for key in ("config", "chat_template", "tensors", "bytes")})
            if read["problem"] and not model.get("problem"):
                model["problem"] = f"{node}: {read['problem']}; put it there, or write source"
    return found


def deployment_plans(
    deployments: t.Sequence[t.Mapping[str, t.Any]],
    members: t.Sequence[str],
    hostvars: t.Mapping[str, t.Any],
    models: t.Mapping[str, t.Any],
    images: t.Mapping[str, t.Any],
    ray: t.Mapping[str, t.Any],
    gateway: t.Mapping[str, t.Any],
    texts: t.Mapping[str, str],
    directory: str,
    mistakes: t.Mapping[str, t.Sequence[str]] | None = None,
) -> dict[str, t.Any]:
    """Return the plans of all deployments, or ``mistakes``: all of them, each a sentence."""
    others = _plan_mistakes.merged(mistakes or {})
    if not members:
        return {"mistakes": [*others, "gpu_nodes: the group has no hosts; write the nodes into the inventory"]}
    unread = [name for name in members if "platform_node" not in hostvars[name]]
    if unread:
        why = "was not read in this run; run without --limit, or take it out of gpu_nodes"
        return {"mistakes": [*others, *[f"{name}: {why}" for name in unread]]}
    wishes = _plan_mistakes.Wishes(
        deployments=deployments,
        nodes=nodes(members, hostvars),
        known_platforms=hostvars[members[0]]["platform_known"],
        models=with_read(models, members, hostvars),
        images=images,
        ray=ray,
        gateway=gateway,
        texts=texts,
        directory=directory,
        mistakes=mistakes or {},
    )
    try:
        return {**_plan.plan(wishes), "mistakes": []}
    except _plan.MistakesError as error:
        return {"mistakes": error.args[0]}


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"deployment_plans": deployment_plans}
