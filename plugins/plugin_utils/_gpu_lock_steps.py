# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what the role ``nvidia_driver`` does on a node: pure functions on plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``wishes`` are the role's variables without their prefix; ``node`` is what ``node_facts`` read; ``candidates`` is what
``package_candidates`` read, or nothing as long as nobody asked.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gpu_lock_wishes
from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock import (
    Candidates,
    Lock,
    lock,
    patterns,
    upstream,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_cards import PROPRIETARY
from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_names import FAMILY
from ansible_collections.gpufleet.inference.plugins.plugin_utils._os_tuning import in_container, matching

#: Kernel packages, which installing a driver must leave as they are. Headers are free: modules are built against them.
KERNELS = ("linux-image-*", "linux-modules-[0-9]*", "kernel", "kernel-core", "kernel-modules*")

#: NVIDIA's packages with pins for apt; those of another version would work against the lock.
PINNING = ("nvidia-driver-pinning-*",)

GIB = 2**30


def plan(
    node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any], candidates: Candidates | None = None
) -> dict[str, t.Any]:
    """Return what must become of the node::

    {"applies": bool,               # false: no card of ours, nothing is to do
     "mistakes": [sentence],        # in the wishes
     "complete": bool,              # what is installed fulfils the wishes
     "patterns": [package pattern], # to ask a repository for
     "lock": LOCK,                  # of _gpu_lock: of what is installed, else of the candidates
     "refusal": sentence or "",     # why the candidates do not do, or the node has no room
     "install": ["name=version"], "build": [package],
         "release": [name],             # held packages of the family that must change or go
         "remove": [name],              # pinning packages of other versions
         "hold": [name],                # installed packages of the driver's family that are not held
     "units": [unit], "module": {"action": "none" | "load" | "reload" | "reboot", "why": sentence, "unload": [module]},
     "kernel_is_ours": bool, "modules_load": [module], "expect": profile of gpu_health}
    """
    applies = bool(_gpu_lock_wishes.card_ids(wishes, node))
    installed = lock(wishes, node, {name: [{"version": one}] for name, one in node["packages"].items()})
    by_package = wishes["source"] != "runfile"
    complete = applies and (not installed["mistakes"] if by_package else _runfile_is_there(node, wishes))
    chosen = installed if complete or candidates is None else lock(wishes, node, candidates)
    wrong = list(_gpu_lock_wishes.mistakes(wishes, node)) if applies else []
    wanted = {**_followers(node, chosen, candidates or {}), **chosen["packages"]}
    missing = _missing(node, wanted)
    build = [] if complete or not applies else _build_packages(node, wishes)
    return {
        "applies": applies,
        "mistakes": wrong,
        "complete": complete,
        "patterns": patterns(wishes["namings"]),
        "lock": chosen,
        "refusal": "" if complete or not applies else _refusal(node, wishes, chosen, candidates),
        "install": [f"{name}={version}" for name, version in missing.items()],
        "build": build,
        "release": _leaving(node, wanted) if chosen["packages"] and not complete else [],
        "remove": [name for name in matching(node["packages"], PINNING) if name not in wanted] if wanted else [],
        "hold": _unheld(node) if applies else [],
        "units": _units(node, wishes) if applies else [],
        "module": {**_module(node, wishes, chosen), "unload": _unload(wishes)},
        "kernel_is_ours": not in_container(node),
        "modules_load": _modules_load(wishes),
        "expect": _expectation(node, wishes, chosen) if applies else {},
    }


def _runfile_is_there(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> bool:
    return bool(node["nvidia"]["version"] == wishes["version"])


def _missing(node: t.Mapping[str, t.Any], wanted: t.Mapping[str, str]) -> dict[str, str]:
    """Return {name: version} of the packages that are not installed at their version."""
    return {name: one for name, one in wanted.items() if node["packages"].get(name) != one}


def _followers(node: t.Mapping[str, t.Any], chosen: Lock, candidates: Candidates) -> dict[str, str]:
    """Return what is installed of the driver beside the lock, at the lock's version.

    Named too, as apt moves nothing by itself once an interrupted installation has left dependencies apart.
    """
    found = {}
    for name in matching(node["packages"], FAMILY):
        version = next(
            (
                str(one["version"])
                for one in candidates.get(name, [])
                if upstream(str(one["version"])) == chosen["driver"]
            ),
            "",
        )
        if version:
            found[name] = version
    return found


def _leaving(node: t.Mapping[str, t.Any], wanted: t.Mapping[str, str]) -> list[str]:
    """Return what is held and must change, or give way to another branch: apt removes nothing that is held."""
    held = [name for name in matching(node["packages"], FAMILY) if name in node["held_packages"]]
    return [name for name in held if wanted.get(name) != node["packages"][name]]


def _unheld(node: t.Mapping[str, t.Any]) -> list[str]:
    """Return what is installed of the driver and not held. What the lock did not name came as a dependency of it."""
    return [name for name in matching(node["packages"], FAMILY) if name not in node["held_packages"]]


def _build_packages(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Return what building modules needs: a container's kernel is its machine's, so there nothing."""
    if in_container(node):
        return []
    wanted = [one.replace("{kernel}", node["kernel"]) for one in wishes["build_packages"]]
    return [name for name in wanted if name not in node["packages"]]


def _refusal(
    node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any], chosen: Lock, candidates: Candidates | None
) -> str:
    """Return why nothing can be installed, before anything is: no fitting set, or no room."""
    for path, free in node["disk_free_bytes"].items():
        if path in ("/", "/var/lib") and free < wishes["free_gib"] * GIB:
            return (
                f"nvidia_driver_free_gib: {path} has {free / GIB:.1f} GiB free, the driver and the build of its modules "
                f"need {wishes['free_gib']}. Make room, then run this again; nothing was changed."
            )
    if candidates is None or wishes["source"] == "runfile":
        return ""
    return " ".join(chosen["mistakes"])


def _units(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Return the units that must run."""
    needs = _gpu_lock_wishes.services(wishes, node)
    wanted = {
        "nvidia-persistenced.service": wishes["persistence"],
        "nvidia-fabricmanager.service": needs["fabric_manager"],
        "nvidia-imex.service": needs["imex"],
    }
    return [unit for unit, yes in wanted.items() if yes]


def idle(node: t.Mapping[str, t.Any], units: t.Iterable[str]) -> list[str]:
    """Return the units that must still be started or enabled."""
    good = ("active", "enabled")
    return [
        unit
        for unit in units
        if (node["units"].get(unit, {}).get("active"), node["units"].get(unit, {}).get("enabled")) != good
    ]


def _module(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any], chosen: Lock) -> dict[str, str]:
    """Return how the kernel comes to the locked driver. NVML calls a difference error 18."""
    driver = chosen["driver"] or (str(wishes["version"]) if wishes["source"] == "runfile" else "")
    loaded = node["nvidia"]
    if in_container(node):
        return {"action": "none", "why": "the kernel belongs to the machine of this container"}
    if not driver:
        return {"action": "none", "why": ""}
    if loaded["nouveau"]:
        return {"action": "reboot", "why": "nouveau holds the cards; it is kept out from the next boot on"}
    if not loaded["version"]:
        return {"action": "load", "why": "no driver is loaded"}
    if loaded["version"] != driver:
        difference = f"the kernel runs driver {loaded['version']}, the libraries are {driver}"
        return {"action": "reload", "why": f"{difference} (NVML error 18, driver/library version mismatch)"}
    if loaded["flavour"] != wishes["flavour"]:
        return {"action": "reload", "why": f"the kernel runs the {loaded['flavour']} modules"}
    return {"action": "none", "why": ""}


def _unload(wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Return the modules to unload, users first: where one is in use, the first one fails and nothing is unloaded."""
    return [*reversed(_modules_load(wishes)[1:]), "nvidia_drm", "nvidia_modeset", "nvidia"]


def _modules_load(wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Return the modules for modules-load.d. Open modules give RDMA dma-buf, the proprietary ones need peermem."""
    peermem = wishes["flavour"] == PROPRIETARY if wishes["peermem"] == "auto" else wishes["peermem"] == "always"
    return ["nvidia", "nvidia_uvm", *(["nvidia_peermem"] if peermem else [])]


def _expectation(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any], chosen: Lock) -> dict[str, t.Any]:
    """Return the profile for ``gpu_health``: what this role has made so."""
    needs, settings = _gpu_lock_wishes.services(wishes, node), wishes["settings"]
    return {
        "gpus": len(node["gpus"]) if wishes["cards"] == ["auto"] else len(wishes["cards"]),
        "driver_version": chosen["driver"] or str(wishes["version"]),
        "module_flavour": wishes["flavour"],
        "fabric_manager": "required" if needs["fabric_manager"] else "auto",
        "persistence": bool(wishes["persistence"]),
        **({"cuda_at_least": str(wishes["cuda_at_least"])} if wishes["cuda_at_least"] else {}),
        **{key: settings[key] for key in ("power_limit_w", "ecc", "mig", "compute_mode") if key in settings},
        **({"locked_clock_mhz": settings["locked_clocks_mhz"][1]} if settings.get("locked_clocks_mhz") else {}),
    }


def kernel_changes(before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any]) -> list[str]:
    """Return a sentence per kernel package that the installation of the driver added, removed or changed."""
    found = []
    for name in matching({*before["packages"], *after["packages"]}, KERNELS):
        was, now = before["packages"].get(name, "absent"), after["packages"].get(name, "absent")
        if was != now:
            found.append(f"{name} was {was} and is {now}")
    return found
