# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _plan

#: Per-node declarations, read from the inventory's host and group variables.
DECLARED = {"address": "ray_cluster_address", "interface": "ray_cluster_interface", "gpus": "ray_cluster_gpus"}


def nodes(names: t.Sequence[str], hostvars: t.Mapping[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Return {name: {facts, platform, address, interface, gpus}} of the named hosts."""
    return {
        name: {
            "facts": hostvars[name]["platform_node"],
            "platform": hostvars[name]["platform_name"],
            **{key: hostvars[name].get(variable) for key, variable in DECLARED.items()},
        }
        for name in names
    }


def deployment_plans(
    deployments: t.Sequence[t.Mapping[str, t.Any]],
    members: t.Sequence[str],
    hostvars: t.Mapping[str, t.Any],
    models: t.Mapping[str, t.Any],
    images: t.Mapping[str, t.Any],
    ray: t.Mapping[str, t.Any],
    gateway: t.Mapping[str, t.Any],
    texts: t.Mapping[str, str],
    mistakes: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """Return the plans of all deployments, or ``mistakes``: all of them, each a sentence."""
    if not members:
        return {"mistakes": [*mistakes, "gpu_nodes: the group has no hosts; write the nodes into the inventory"]}
    wishes = _plan.Wishes(
        deployments=deployments,
        nodes=nodes(members, hostvars),
        known_platforms=hostvars[members[0]]["platform_known"],
        models=models,
        images=images,
        ray=ray,
        gateway=gateway,
        texts=texts,
        mistakes=mistakes,
    )
    try:
        return {**_plan.plan(wishes), "mistakes": []}
    except _plan.MistakesError as error:
        return {"mistakes": error.args[0]}


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"deployment_plans": deployment_plans}
