# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the burn-in runs on a node, and how the answers of all nodes become one run: pure functions.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``wishes`` are variables of the role ``burn_in`` without their prefix, and ``name``, the node's own; ``node`` is what
``node_facts`` read.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _docker_run

Wishes = t.Mapping[str, t.Any]
Node = t.Mapping[str, t.Any]
Run = dict[str, t.Any]

SCRIPT = "gpu_burn_in.py"
CONTAINER = "gpufleet-burn-in"
INSIDE = "/gpufleet-burn-in"

#: What each tier may take on the node, from starting the container to its end (burn_in_tiers.py has what it measures).
#: 300 s beyond: an image from a cold disk, and a card that hangs until it is given up.
LIMIT_SECONDS = {"quick": 360, "standard": 1800, "soak": 4 * 3600}

#: `dcgmi diag -r` of each tier, where DCGM is installed on the node: minutes to half an hour.
DCGM_LEVELS = {"quick": 0, "standard": 2, "soak": 3}

#: Containers of ours that use GPUs.
SERVING = ("gpufleet-engine-", "gpufleet-ray")

PARTS = ("gpu", "node")


def mistakes(wishes: Wishes, node: Node) -> list[str]:
    """Return what must be changed before anything is measured on this node."""
    found = []
    if wishes["tier"] not in LIMIT_SECONDS:
        found.append(f"burn_in_tier: {wishes['tier']} is none of {', '.join(LIMIT_SECONDS)}.")
    running = [one for one in node["docker"]["running"] if one.startswith(SERVING)]
    if running and node["gpus"] and not wishes["while_serving"]:
        found.append(
            f"{', '.join(sorted(running))} would take part in every figure, and lose its memory to the burn-in: run"
            " playbooks/stop.yml first, or set burn_in_while_serving to true."
        )
    return found


def plan(wishes: Wishes, node: Node) -> dict[str, t.Any]:
    """Return what is run on the node::

    {"argv": the command, [] when nothing can be run; "problem": why nothing can; "container": its name or "",
     "seconds": its bound, "dcgm_level": of dcgmi diag, "leftover": a container of a run that was cut off, or ""}
    """
    image = wishes["image"] or next(iter(wishes["images"]), "")
    tier = wishes["tier"]
    found: dict[str, t.Any] = {
        "argv": [],
        "problem": _problem(wishes, node, image),
        "container": "",
        "seconds": LIMIT_SECONDS[tier],
        "dcgm_level": DCGM_LEVELS[tier],
        "leftover": CONTAINER if CONTAINER in node["docker"]["containers"] else "",
    }
    if found["problem"]:
        return found
    words = ["--tier", tier, "--node", wishes["name"], "--parts", ",".join(wishes["parts"] or PARTS)]
    words += ["--busy"] if wishes["while_serving"] else []
    if wishes["python"]:
        return {**found, "argv": [wishes["python"], f"{wishes['directory']}/{SCRIPT}", *words]}
    container = {
        "image": image,
        "argv": [f"{INSIDE}/{SCRIPT}", *words, "--image", image],
        "env": wishes["environment"],
        "mounts": [f"{wishes['directory']}:{INSIDE}:ro"],
        "gpus": wishes["gpu_access"],
        "raise_limits": node["docker"]["can_raise_limits"],
    }
    argv = ["docker", "run", "--rm", "--pull", "never", "--name", CONTAINER, "--entrypoint", "python3"]
    return {**found, "argv": argv + _docker_run.arguments(container), "container": CONTAINER}


def _problem(wishes: Wishes, node: Node, image: str) -> str:
    if not node["gpus"]:
        return "the node has no NVIDIA GPU on its PCI bus"
    if wishes["python"]:
        return ""
    if not image:
        return "no image to measure in: set burn_in_image (an engine image with torch), or burn_in_python for a host with torch"
    if not node["docker"]["reachable"]:
        return f"Docker does not answer: {node['docker']['problem'] or 'it is not installed'}"
    if image not in node["docker"]["images"]:
        return f"the node does not have the image {image}: playbooks/prepare.yml and serve.yml bring it"
    return ""


def merged(
    members: t.Sequence[str],
    measured: t.Mapping[str, t.Mapping[str, t.Any] | None],
    facts: t.Mapping[str, t.Mapping[str, t.Any]],
    fabric: t.Sequence[t.Mapping[str, t.Any]],
    tier: str,
    started: str,
) -> Run:
    """Return one run of all nodes (schema 1).

    ``measured``: per node what the module gpu_speed returned under ``run``, None when it gave nothing; ``facts``: per node
    what else is known of it: gpu, gpus, nics, nic_gbps; ``fabric``: measurements between nodes. Every member is in the
    fleet, also one that gave nothing.
    """
    fleet: dict[str, dict[str, t.Any]] = {}
    measurements: list[t.Mapping[str, t.Any]] = []
    for name in members:
        own = measured.get(name) or {}
        said = dict(own.get("fleet", {}).get(name, {}))
        fleet[name] = {**facts.get(name, {}), **{key: value for key, value in said.items() if value}}
        measurements += own.get("measurements", [])
    return {
        "schema": 1,
        "tier": tier,
        "started": started,
        "fleet": fleet,
        "measurements": [dict(one) for one in [*measurements, *fabric]],
    }
