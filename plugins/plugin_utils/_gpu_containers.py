# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide how containers get the GPUs of a node, and what of NVIDIA's container toolkit is missing: pure functions.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``wishes`` are variables of the role ``container_runtime`` without their prefix; ``node`` is what ``node_facts`` read;
``candidates`` is what ``package_candidates`` read, or nothing as long as nobody asked.

Three ways: ``cdi``, Docker itself reads the specification (``--device nvidia.com/gpu=all``); ``runtime``, NVIDIA's runtime
makes one at every start (toolkit 1.18 and newer); ``hook``, what ``--gpus all`` mostly is: device rules that systemd does
not know of, so that a ``systemctl daemon-reload`` takes the GPUs from running containers (container-toolkit documents,
"troubleshooting"). Every unit that this collection writes is followed by one.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._os_tuning import in_container

AUTO, ALWAYS, NEVER = "auto", "always", "never"
CDI, RUNTIME, HOOK = "cdi", "runtime", "hook"

#: The first toolkit whose mode `auto` makes a CDI specification at every start (its release notes, 2025).
CDI_TOOLKIT = (1, 18)

#: The first Docker whose ``--device`` takes CDI names (its release notes, 2024); on by default from 28.2.
CDI_DOCKER = 25

TOOLKIT = "nvidia-container-toolkit"
ALL_GPUS = "nvidia.com/gpu=all"
RANK_PREFIX = "gpufleet-"

Wishes = t.Mapping[str, t.Any]
Node = t.Mapping[str, t.Any]
Candidates = t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]]


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: ``1.18.2-1`` is (1, 18, 2)."""
    matched = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(one) for one in matched[0].split(".")) if matched else ()


def wanted(wishes: Wishes, node: Node) -> bool:
    """Tell whether the toolkit is ours to install: in a container the GPUs that are seen are the machine's."""
    if wishes["toolkit"] == AUTO:
        return bool(node["gpus"]) and not in_container(node)
    return bool(wishes["toolkit"] == ALWAYS)


def access(wishes: Wishes, node: Node) -> str:
    """Return how containers get the GPUs.

    With our toolkit it follows from the wishes alone: the first run must plan what the second one plans. A
    distribution's Docker is of any version, and NVIDIA's runtime works with each.
    """
    if wanted(wishes, node):
        return CDI if wishes["source"] == "docker" and numbers(wishes["version"]) >= (CDI_DOCKER,) else RUNTIME
    return CDI if ALL_GPUS in node["docker"]["cdi_devices"] else HOOK


def plan(wishes: Wishes, node: Node, candidates: Candidates | None = None) -> dict[str, t.Any]:
    """Return what must become of the node::

    {"wanted": bool, "access": "cdi" | "runtime" | "hook", "mistakes": [sentence], "refusal": sentence or "",
     "daemon": the access when the toolkit is ours, else "",   # what Docker must be told
     "packages": ["name=1.20.1-*"], "hold": [name], "refresh": bool,   # the CDI specification is missing or stale
     "pins": text for apt, "expect": {"count", "access"} of container_health, or {}}
    """
    ours = wanted(wishes, node)
    missing = [name for name in wishes["toolkit_packages"] if not _at(node["packages"].get(name, ""), wishes)]
    packages = missing if ours else []
    joint = "-" if node["package_manager"] == "dnf" else "="
    return {
        "wanted": ours,
        "access": access(wishes, node),
        "daemon": access(wishes, node) if ours else "",
        "mistakes": list(mistakes(wishes, node)),
        "refusal": _refusal(wishes, packages, candidates),
        "packages": [f"{name}{joint}{wishes['toolkit_version']}-*" for name in packages],
        "hold": [name for name in wishes["toolkit_packages"] if ours and name not in node["held_packages"]],
        "refresh": ours and _is_stale(node),
        "pins": _pins(wishes),
        "expect": {"count": len(node["gpus"]), "access": access(wishes, node)} if ours else {},
    }


def mistakes(wishes: Wishes, node: Node) -> t.Iterator[str]:
    """Yield one sentence per mistake: the variable, what is wrong, what to write."""
    version = str(wishes["toolkit_version"])
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        yield f"container_runtime_toolkit_version: {version!r} is no version; write one such as 1.20.1."
    elif numbers(version) < CDI_TOOLKIT:
        yield (
            f"container_runtime_toolkit_version: with {version} a daemon-reload takes the GPUs from running containers; "
            "write 1.18.0 or newer."
        )
    if wishes["toolkit_repository_url"] and not re.fullmatch(r"[0-9A-F]{40}", wishes["toolkit_key_fingerprint"]):
        yield (
            "container_runtime_toolkit_key_fingerprint: the key of the repository is taken only by its fingerprint; "
            "write its 40 hexadecimal digits in capitals, as `gpg --show-keys` tells them."
        )
    found = legacy(wishes, node)
    if found:
        yield found


def legacy(wishes: Wishes, node: Node) -> str:
    """Return why a daemon-reload would take GPUs from containers, with the remedy; "" where it would not."""
    docker, nvidia = node["docker"], node["nvidia"]
    if not node["gpus"] or in_container(node) or docker["cgroup_driver"] != "systemd" or nvidia["device_links"]:
        return ""
    way = access(wishes, node)
    if way == HOOK:
        return (
            "container_runtime_toolkit: containers would get the GPUs by NVIDIA's hook, and every systemctl "
            "daemon-reload would take them away again. Write auto, or give the node a CDI specification "
            "(nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml, Docker 28.2 or newer)."
        )
    if way == RUNTIME and nvidia["runtime_mode"] == "legacy":
        return (
            'container_runtime_toolkit: mode = "legacy" in /etc/nvidia-container-runtime/config.toml lets every '
            'systemctl daemon-reload take the GPUs from running containers. Write mode = "auto" there.'
        )
    installed = numbers(node["packages"].get(TOOLKIT, ""))
    ranks = sorted(name for name in docker["running"] if name.startswith(RANK_PREFIX))
    if ranks and installed and installed < CDI_TOOLKIT:
        return (
            f"container_runtime_toolkit_version: {', '.join(ranks)} got the GPUs by toolkit "
            f"{node['packages'][TOOLKIT]}, and its replacement would take them away. Stop them first (playbook "
            "gpufleet.inference.stop), then run this again."
        )
    return ""


def _at(version: str, wishes: Wishes) -> bool:
    return version.partition("-")[0] == str(wishes["toolkit_version"])


def _is_stale(node: Node) -> bool:
    """Tell whether no CDI specification is of the driver that is loaded. Without a driver none can be made."""
    loaded = node["nvidia"]["version"]
    return bool(loaded) and not any(one["driver_version"] in ("", loaded) for one in node["nvidia"]["cdi"])


def _refusal(wishes: Wishes, packages: t.Sequence[str], candidates: Candidates | None) -> str:
    """Return what the sources lack of the wished version; "" when all is there, or nobody asked."""
    if candidates is None:
        return ""
    where = wishes["toolkit_repository_url"]
    there = {
        name: [one for one in candidates.get(name, []) if str(one["repository"]).startswith(where)] for name in packages
    }
    lacking = [name for name, found in there.items() if not any(_at(str(one["version"]), wishes) for one in found)]
    if not lacking:
        return ""
    offered = {str(one["version"]).partition("-")[0] for one in there.get(TOOLKIT, [])}
    newest = sorted((one for one in offered if numbers(one) >= CDI_TOOLKIT), key=numbers, reverse=True)[:5]
    return (
        f"container_runtime_toolkit_version: {where or 'no source of the node'} has no {', '.join(lacking)} "
        f"{wishes['toolkit_version']}. "
        + (f"Write one of {', '.join(newest)}." if newest else "Give another container_runtime_toolkit_repository_url.")
    )


def _pins(wishes: Wishes) -> str:
    """Return the apt preferences. Above 1000 apt takes the version even where that is a downgrade."""
    return (
        "Explanation: Written by the role gpufleet.inference.container_runtime; changes made here are lost.\n"
        f"Package: {' '.join(wishes['toolkit_packages'])}\n"
        f"Pin: version {wishes['toolkit_version']}-*\nPin-Priority: 1001\n"
    )
