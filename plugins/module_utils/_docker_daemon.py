# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the Docker daemon runs with, and judge it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The effect is read, not the file: the daemon's own answers, the environment of its process, the limits of a real
process in a container. ``readings`` is plain data::

    {"reachable": bool, "problem": str, "info": {…GET /info…}, "variables": {name: value} | None,
     "can_raise_limits": bool, "running": [name], "images": {reference or id: id},
     "container": {"name": str, "log": {"Type": str, "Config": {}}, "limits": {name: "soft/hard"} | None} | None,
     "container_problem": str}
"""

from __future__ import annotations

import pathlib
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_probe, _docker_socket
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    FAIL,
    NOT_VERIFIED,
    PASS,
    WARN,
    Check,
    check,
    equals,
    not_verified,
)

#: Bit of CAP_SYS_RESOURCE in a capability mask, include/uapi/linux/capability.h.
SYS_RESOURCE_BIT = 24

#: The label and the environment variable in which the daemon carries the fingerprints of its configuration.
CONFIGURATION_LABEL = "gpufleet.configuration"
START_VARIABLE = "GPUFLEET_DOCKER_START"

#: The rows of /proc/<pid>/limits that count, proc_pid_limits(5).
LIMIT_ROWS = {"nofile": "Max open files", "memlock": "Max locked memory"}

#: Ask Docker for the limits of a container: it ends at once, has no network and removes itself.
PROBE_COMMAND = ["cat", "/proc/self/limits"]

#: Docker itself counts the node's own registries as insecure.
ALWAYS_INSECURE = ("127.0.0.0/8", "::1/128")

RELOAD_REMEDY = "Run the role container_runtime, or `systemctl reload docker`."
RESTART_REMEDY = (
    "Run the role container_runtime with container_runtime_restart_allowed: true when no ranks run, or "
    "`systemctl restart docker`."
)


def read(
    probe: bool, root: str = "/", timeout_seconds: float = 5.0, socket_path: str = _docker_socket.SOCKET_PATH
) -> dict[str, t.Any]:
    """Return the readings. ``probe`` allows a short-lived container when none runs whose limits could be read."""

    def get(path: str) -> t.Any:
        status, answer = _docker_socket.get(path, timeout_seconds, socket_path)
        if status != 200:
            raise _docker_socket.DockerUnreachableError(f"GET {path} answered {status}: {answer}")
        return answer

    readings: dict[str, t.Any] = {
        "reachable": False,
        "problem": "",
        "info": {},
        "variables": variables(root),
        "can_raise_limits": can_raise_limits(root),
        "running": [],
        "images": {},
        "container": None,
        "container_problem": "",
    }
    try:
        readings["info"] = get("/info")
        containers = get("/containers/json")
        images = get("/images/json")
    except _docker_socket.DockerUnreachableError as error:
        return dict(readings, problem=str(error), container_problem="the daemon did not answer")
    readings["reachable"] = True
    readings["running"] = sorted(one["Names"][0].lstrip("/") for one in containers if one.get("Names"))
    readings["images"] = image_ids(images)
    try:
        readings["container"] = _running(containers, get, root)
        if readings["container"] is None:
            smallest = min(images, key=lambda one: one["Size"], default=None)
            readings["container"], readings["container_problem"] = _probed(
                smallest["Id"] if smallest else "", probe, timeout_seconds, socket_path
            )
    except _docker_socket.DockerUnreachableError as error:
        readings["container_problem"] = str(error)
    return readings


def image_ids(images: list[dict[str, t.Any]]) -> dict[str, str]:
    """Return {reference, digest reference or id: image id} of Docker's image list."""
    ids: dict[str, str] = {}
    for image in images:
        for reference in [image["Id"], *(image.get("RepoTags") or []), *(image.get("RepoDigests") or [])]:
            if "<none>" not in reference:
                ids[reference] = image["Id"]
    return ids


def variables(root: str = "/") -> dict[str, str] | None:
    """Return the environment of the daemon's process, or None when it cannot be read."""
    try:
        pid = (pathlib.Path(root) / "run/docker.pid").read_text(encoding="ascii").strip()
        raw = (pathlib.Path(root) / "proc" / pid / "environ").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return None
    return dict(item.split("=", 1) for item in raw.split("\0") if "=" in item)


def can_raise_limits(root: str = "/") -> bool:
    """Return whether the node's PID 1, and so its services, may raise hard limits (CAP_SYS_RESOURCE)."""
    try:
        status = (pathlib.Path(root) / "proc/1/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    match = re.search(r"^CapBnd:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return bool(match and int(match[1], 16) >> SYS_RESOURCE_BIT & 1)


def limits(text: str) -> dict[str, str]:
    """Return {nofile, memlock: "soft/hard"} from the text of /proc/<pid>/limits; memlock is in bytes."""
    found: dict[str, str] = {}
    for name, title in LIMIT_ROWS.items():
        match = re.search(rf"^{title}\s+(\S+)\s+(\S+)", text, re.MULTILINE)
        if match:
            found[name] = f"{match[1]}/{match[2]}"
    return found


def judge(readings: dict[str, t.Any], expect: dict[str, t.Any]) -> list[Check]:
    """Return the checks that ``expect`` asks for; see the module's documentation for its keys."""
    if not readings["reachable"]:
        remedy = "See `systemctl status docker` and `journalctl --unit docker`."
        return [check("Docker daemon", FAIL, readings["problem"], "answers", remedy, _docker_socket.SOCKET_PATH)]
    info = readings["info"]
    checks = [check("Docker daemon", PASS, f"answers, version {info.get('ServerVersion')}", "answers", "", "/info")]
    for key, name, observed, remedy in _facts(info):
        if key in expect:
            checks.append(equals(name, observed, expect[key], remedy, "/info"))
    checks.extend(_fingerprints(readings, expect))
    checks.extend(_container(readings, expect))
    checks.extend(_image(readings["images"], wanted) for wanted in expect.get("images", []))
    return checks


def facts(readings: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what the role decides on; never the daemon's whole environment, which may hold a proxy's password."""
    info = readings["info"]
    return {
        "reachable": readings["reachable"],
        "problem": readings["problem"],
        "version": info.get("ServerVersion", ""),
        "storage_driver": info.get("Driver", ""),
        "cgroup_driver": info.get("CgroupDriver", ""),
        "live_restore": bool(info.get("LiveRestoreEnabled")),
        "configuration": _label(info),
        "start": (readings["variables"] or {}).get(START_VARIABLE),
        "can_raise_limits": readings["can_raise_limits"],
        "running": readings["running"],
        "images": readings["images"],
        "cdi_devices": cdi_devices(info),
    }


def cdi_devices(info: dict[str, t.Any]) -> list[str]:
    """Return the CDI names of NVIDIA's GPUs that the daemon knows; it tells since Docker 28.2 (API 1.50)."""
    found = [one.get("ID", "") for one in info.get("DiscoveredDevices") or [] if one.get("Source") == "cdi"]
    return sorted(name for name in found if name.startswith("nvidia.com/gpu="))


def _facts(info: dict[str, t.Any]) -> list[tuple[str, str, t.Any, str]]:
    """Return (key of ``expect``, name, observed, remedy) of what /info answers directly."""
    registries = info.get("RegistryConfig") or {}
    insecure = [name for name, one in (registries.get("IndexConfigs") or {}).items() if not one.get("Secure", True)]
    insecure += [cidr for cidr in registries.get("InsecureRegistryCIDRs") or [] if cidr not in ALWAYS_INSECURE]
    # Docker ends every mirror with a slash.
    mirrors = [mirror.rstrip("/") for mirror in registries.get("Mirrors") or []]
    return [
        ("version", "Docker version", info.get("ServerVersion"), "Run the role container_runtime."),
        ("storage_driver", "storage driver", info.get("Driver"), RESTART_REMEDY),
        ("cgroup_driver", "cgroup driver", info.get("CgroupDriver"), RESTART_REMEDY),
        ("live_restore", "live restore", info.get("LiveRestoreEnabled"), RELOAD_REMEDY),
        ("data_root", "data root", info.get("DockerRootDir"), RESTART_REMEDY),
        ("default_runtime", "default runtime", info.get("DefaultRuntime"), RELOAD_REMEDY),
        ("registry_mirrors", "registry mirrors", sorted(mirrors), RELOAD_REMEDY),
        ("insecure_registries", "insecure registries", sorted(insecure), RELOAD_REMEDY),
    ]


def _label(info: dict[str, t.Any]) -> str | None:
    pairs = dict(label.partition("=")[::2] for label in info.get("Labels") or [])
    return pairs.get(CONFIGURATION_LABEL)


def _fingerprints(readings: dict[str, t.Any], expect: dict[str, t.Any]) -> list[Check]:
    checks: list[Check] = []
    if "configuration" in expect:
        label = _label(readings["info"]) or "not ours"
        name = "configuration in use (reloadable part)"
        checks.append(equals(name, label, expect["configuration"], RELOAD_REMEDY, "/info Labels"))
    if "start" in expect:
        name = "configuration in use (part read at start)"
        seen = readings["variables"]
        source = "environment of dockerd"
        if seen is None:
            checks.append(not_verified(name, "the daemon's process could not be read", expect["start"], source=source))
        else:
            value = seen.get(START_VARIABLE, "not ours")
            verdict = PASS if value in expect["start"] else FAIL
            checks.append(check(name, verdict, value, " or ".join(expect["start"]), RESTART_REMEDY, source))
    return checks


def _container(readings: dict[str, t.Any], expect: dict[str, t.Any]) -> list[Check]:
    """Judge what a container gets: log rotation and limits."""
    checks: list[Check] = []
    container = readings["container"]
    if "log" in expect:
        name = "log rotation of a container"
        if container is None:
            checks.append(not_verified(name, readings["container_problem"], expect["log"]))
        else:
            observed = {"driver": container["log"].get("Type"), **(container["log"].get("Config") or {})}
            remedy = f"{RESTART_REMEDY} A container that is there already keeps what it was made with."
            checks.append(equals(name, observed, expect["log"], remedy, container["name"], otherwise=WARN))
    for key in LIMIT_ROWS:
        if key not in expect:
            continue
        name = f"{key} of a container"
        if container is None or container["limits"] is None:
            checks.append(not_verified(name, readings["container_problem"], expect[key]))
        elif not readings["can_raise_limits"] and container["limits"].get(key) != expect[key]:
            why = f"{container['limits'].get(key)}: this node is itself a container that may not raise limits"
            checks.append(check(name, NOT_VERIFIED, why, expect[key], "", container["name"]))
        else:
            checks.append(equals(name, container["limits"].get(key), expect[key], RESTART_REMEDY, container["name"]))
    return checks


def _image(images: dict[str, str], wanted: dict[str, t.Any]) -> Check:
    name, ids, reference = wanted["name"], wanted["ids"], wanted.get("reference", "")
    remedy = "Run the role container_runtime, which loads or pulls it."
    expected = " or ".join(ids) or reference or "present"
    if name not in images:
        return check(f"image {name}", FAIL, "missing", expected, remedy, "/images/json")
    good = (not ids or images[name] in ids) and (not reference or images.get(reference) == images[name])
    return check(f"image {name}", PASS if good else FAIL, images[name], expected, remedy, "/images/json")


def _running(containers: list[dict[str, t.Any]], get: t.Callable[[str], t.Any], root: str) -> dict[str, t.Any] | None:
    """Return log options and limits of a running container that has no limits of its own, or None."""
    for one in containers:
        inspected = get(f"/containers/{one['Id']}/json")
        host = inspected["HostConfig"]
        if host.get("Ulimits"):
            continue
        try:
            path = pathlib.Path(root) / "proc" / str(inspected["State"]["Pid"]) / "limits"
            text = path.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        return {"name": inspected["Name"].lstrip("/"), "log": host["LogConfig"], "limits": limits(text)}
    return None


def _probed(image: str, probe: bool, timeout_seconds: float, socket_path: str) -> tuple[dict[str, t.Any] | None, str]:
    """Run ``cat /proc/self/limits`` in a container of ``image``: (log options and limits or None, the problem)."""
    if not image:
        return None, "no container runs and there is no image to try"
    if not probe:
        return None, "no container runs, and none is started to try"
    ran = _docker_probe.run(image, PROBE_COMMAND, {}, {}, timeout_seconds, socket_path)
    if ran.log is None:
        return None, ran.problem
    seen = None if ran.text is None else limits(ran.text)
    return {"name": "a container made to try", "log": ran.log, "limits": seen}, ran.problem
