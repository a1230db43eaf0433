# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must change in the container runtime of a node, and whether it may: pure functions on plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

The daemon itself says what it runs with, so that an interrupted run is noticed by the next one: a label carries the
fingerprint of the options that a reload takes up, an environment variable that of the options that need a restart.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_containers import CDI

#: Options that ``systemctl reload docker`` (SIGHUP) takes up, "Configuration reload behavior" in dockerd's reference.
#: ``features`` is listed there too, but its ``containerd-snapshotter`` is read at start only.
RELOADABLE: frozenset[str] = frozenset(
    {
        "authorization-plugins",
        "debug",
        "default-runtime",
        "insecure-registries",
        "labels",
        "live-restore",
        "max-concurrent-downloads",
        "max-concurrent-uploads",
        "max-download-attempts",
        "registry-mirrors",
        "runtimes",
        "shutdown-timeout",
    }
)

#: The label, and the environment variable, in which the daemon carries its fingerprints.
CONFIGURATION_LABEL = "gpufleet.configuration"
START_VARIABLE = "GPUFLEET_DOCKER_START"

#: Running containers with this prefix are ranks.
RANK_PREFIX = "gpufleet-"

#: The package that tells which of the two sources a node has its engine from.
ENGINE_PACKAGE = {"distribution": "docker.io", "docker": "docker-ce"}


def mistakes(wishes: dict[str, t.Any], node: dict[str, t.Any]) -> list[str]:
    """Return every mistake of the wishes as a sentence that names the variable and says what to write."""
    found: list[str] = []
    other = "docker" if wishes["source"] == "distribution" else "distribution"
    if wishes["source"] == "distribution" and not wishes["distribution_packages"]:
        found.append(
            f"container_runtime_source: {node['distribution']} {node['distribution_version']} has no Docker package of "
            "its own; write docker."
        )
    if wishes["source"] == "docker" and not wishes["repository_url"]:
        found.append("container_runtime_repository_url: is empty; write the address of the Docker repository.")
    if ENGINE_PACKAGE[other] in node["packages"] and ENGINE_PACKAGE[wishes["source"]] not in node["packages"]:
        found.append(
            f"container_runtime_source: the node has the package {ENGINE_PACKAGE[other]}; write {other}, or remove the "
            "package first."
        )
    for name in ("version", "containerd_version"):
        if not re.fullmatch(r"\d+(\.\d+)+", wishes[name]):
            found.append(f"container_runtime_{name}: {wishes[name]!r} is no version; write one such as 29.6.1.")
    for name in ("http_proxy", "https_proxy"):
        if wishes[name] and not re.match(r"(https?|socks5)://[^/\s]+", wishes[name]):
            found.append(f"container_runtime_{name}: write an address such as http://proxy.example.org:3128.")
    if not wishes["data_root"].startswith("/"):
        found.append(f"container_runtime_data_root: {wishes['data_root']!r} is no absolute path.")
    if not re.fullmatch(r"[1-9]\d*[kmg]", wishes["log_max_size"]):
        found.append(f"container_runtime_log_max_size: {wishes['log_max_size']!r}; write a size such as 100m.")
    if wishes["default_runtime"] not in ("", "runc", *runtimes(wishes)):
        found.append(
            f"container_runtime_default_runtime: {wishes['default_runtime']!r} is not in container_runtime_runtimes."
        )
    if "hosts" in wishes["daemon_options"]:
        found.append(
            "container_runtime_daemon_options: hosts clashes with the unit's own -H and stops the daemon; remove it."
        )
    return found


def daemon_options(wishes: dict[str, t.Any], can_raise_limits: bool) -> dict[str, t.Any]:
    """Return the content of ``daemon.json`` without the label of its fingerprint.

    ``can_raise_limits`` is false on a node without CAP_SYS_RESOURCE (a container used as a host): a default above the
    hard limit would keep every container from starting there, so no limits are set.
    """
    options: dict[str, t.Any] = {
        "data-root": wishes["data_root"],
        "live-restore": wishes["live_restore"],
        "log-driver": "json-file",
        "log-opts": {"max-size": wishes["log_max_size"], "max-file": str(wishes["log_max_files"])},
    }
    if wishes["source"] == "docker":
        # Docker 29 and later would put images under /var/lib/containerd, outside of the data root.
        options["features"] = {"containerd-snapshotter": False}
    if wishes["gpu_access"] == CDI:
        options["features"]["cdi"] = True
    if can_raise_limits:
        options["default-ulimits"] = {
            name: {"Name": name, "Soft": value, "Hard": value}
            for name, value in (("memlock", -1), ("nofile", wishes["nofile"]))
        }
    if runtimes(wishes):
        options["runtimes"] = runtimes(wishes)
    for key in ("registry_mirrors", "insecure_registries", "default_runtime"):
        if wishes[key]:
            options[key.replace("_", "-")] = wishes[key]
    if wishes["address_pools"]:
        options["default-address-pools"] = wishes["address_pools"]
    return _merged(options, wishes["daemon_options"])


def runtimes(wishes: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the runtimes beside runc: NVIDIA's where its toolkit is ours, and those of the wishes."""
    nvidia = {"nvidia": {"path": "nvidia-container-runtime", "args": []}} if wishes["gpu_access"] else {}
    return {**nvidia, **wishes["runtimes"]}


def environment(wishes: dict[str, t.Any]) -> dict[str, str]:
    """Return the environment of the daemon: its proxies. They may hold a password."""
    values = {
        "HTTP_PROXY": wishes["http_proxy"],
        "HTTPS_PROXY": wishes["https_proxy"],
        "NO_PROXY": ",".join(wishes["no_proxy"]),
    }
    return {name: value for name, value in values.items() if value}


def fingerprints(options: dict[str, t.Any], variables: dict[str, str]) -> dict[str, str]:
    """Return ``{configuration, start}``: 16 hex digits over what a reload takes up, and over what needs a restart."""
    reloaded = {key: value for key, value in options.items() if key in RELOADABLE}
    started = {key: value for key, value in options.items() if key not in RELOADABLE}
    return {"configuration": _hash(reloaded), "start": _hash([started, variables])}


def packages(wishes: dict[str, t.Any], node: dict[str, t.Any]) -> list[str]:
    """Return what the package manager must install, as it wants it written; empty when all is there as pinned."""
    if wishes["source"] == "distribution":
        return [name for name in wishes["distribution_packages"] if name not in node["packages"]]
    missing: list[str] = []
    for name in wishes["docker_packages"]:
        version = _pinned(name, wishes)
        prefix = f"{_epoch(name, node)}{version}-" if version else ""
        if name not in node["packages"] or not node["packages"][name].startswith(prefix):
            joint = "-" if node["package_manager"] == "dnf" else "="
            missing.append(f"{name}{joint}{prefix}*" if version else name)
    return missing


def action(
    seen: dict[str, t.Any],
    wanted: dict[str, str],
    to_install: list[str],
    enabled: bool,
    restart_allowed: bool,
) -> dict[str, str]:
    """Decide what to do with the daemon: ``{action, why, refusal}``.

    ``seen`` is what the daemon says: ``{reachable, configuration, start, live_restore, running: [names]}``; ``wanted``
    are the fingerprints. ``action`` is ``none``, ``start``, ``reload`` or ``restart``. ``refusal`` is not empty when
    the action would hit running containers and nobody allowed it: ranks always, others when live restore is off.
    """
    if not seen["reachable"]:
        return {"action": "start", "why": "the daemon does not answer", "refusal": ""}
    reasons = [f"{', '.join(to_install)} will be installed"] if to_install else []
    if seen["start"] != wanted["start"]:
        reasons.append("options changed that Docker reads at start only")
    if reasons:
        why = " and ".join(reasons)
        hit = [name for name in seen["running"] if name.startswith(RANK_PREFIX) or not seen["live_restore"]]
        refusal = "" if restart_allowed or not hit else _refusal(why, hit)
        return {"action": "restart", "why": why, "refusal": refusal}
    if seen["configuration"] != wanted["configuration"]:
        return {"action": "reload", "why": "options changed that Docker takes up while it runs", "refusal": ""}
    if not enabled:
        return {"action": "start", "why": "the unit is not enabled", "refusal": ""}
    return {"action": "none", "why": "", "refusal": ""}


def plan(wishes: dict[str, t.Any], node: dict[str, t.Any], seen: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return all that the role carries out on one node.

    ``{packages, daemon, environment, fingerprints, action, why, refusal}``; ``daemon`` is the content of daemon.json.
    """
    options = daemon_options(wishes, seen["can_raise_limits"])
    variables = environment(wishes)
    prints = fingerprints(options, variables)
    to_install = packages(wishes, node)
    enabled = node["units"].get("docker.service", {}).get("enabled") == "enabled"
    options["labels"] = [*options.get("labels", []), f"{CONFIGURATION_LABEL}={prints['configuration']}"]
    return {
        "packages": to_install,
        "daemon": options,
        "environment": {**variables, START_VARIABLE: prints["start"]},
        "fingerprints": prints,
        **action(seen, prints, to_install, enabled, wishes["restart_allowed"]),
    }


def expectation(
    wishes: dict[str, t.Any], images: list[dict[str, t.Any]], gpus: dict[str, t.Any] | None = None
) -> dict[str, t.Any]:
    """Return what the module ``container_health`` must find: its option ``expect``.

    ``gpus`` is ``expect`` of ``_gpu_containers.plan``; the wish ``gpu_image`` or the first image lists them.
    """
    # Whether limits are set depends on the node, so that two fingerprints are right.
    both = [daemon_options(wishes, can_raise_limits) for can_raise_limits in (True, False)]
    options = both[0]
    expected: dict[str, t.Any] = {
        "live_restore": options["live-restore"],
        "data_root": options["data-root"],
        "default_runtime": options.get("default-runtime", "runc"),
        "registry_mirrors": sorted(mirror.rstrip("/") for mirror in options.get("registry-mirrors", [])),
        "insecure_registries": sorted(options.get("insecure-registries", [])),
        "log": {"driver": options["log-driver"], **options["log-opts"]},
        "configuration": fingerprints(options, {})["configuration"],
        "start": [fingerprints(one, environment(wishes))["start"] for one in both],
        "images": images,
    }
    for name, limit in options["default-ulimits"].items():
        if name in ("memlock", "nofile"):
            expected[name] = "/".join("unlimited" if limit[end] == -1 else str(limit[end]) for end in ("Soft", "Hard"))
    if wishes["source"] == "docker":
        expected["version"] = wishes["version"]
    if gpus:
        first = images[0]["name"] if images else ""
        expected["gpus"] = {**gpus, "image": wishes["gpu_image"] or first}
    return expected


def _merged(ours: dict[str, t.Any], theirs: dict[str, t.Any]) -> dict[str, t.Any]:
    """Merge nested mappings; everything else of ``theirs`` replaces ours."""
    merged = dict(ours)
    for key, value in theirs.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _hash(value: t.Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _pinned(name: str, wishes: dict[str, t.Any]) -> str:
    if name == "containerd.io":
        return str(wishes["containerd_version"])
    return str(wishes["version"]) if name.startswith("docker-ce") else ""


def _epoch(name: str, node: dict[str, t.Any]) -> str:
    """Debian's packages of Docker have the epoch 5; dnf takes a name and version without one."""
    return "5:" if node["package_manager"] == "apt" and name.startswith("docker-ce") else ""


def _refusal(why: str, hit: list[str]) -> str:
    return (
        f"Docker must be restarted ({why}), but these containers run: {', '.join(sorted(hit))}. Nothing was changed. "
        "Stop them first (playbook gpufleet.inference.stop), or set container_runtime_restart_allowed: true."
    )
