# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the software around NVIDIA's driver: libraries, packages, harmful environment variables, container toolkit.

The shapes are those of ``_gpu_host``.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import os
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _cdi, _node
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_host_driver import there
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from ansible_collections.gpufleet.inference.plugins.module_utils._host_read import blacklist

LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")

PACKAGES = re.compile(
    r"nvidia|libnvidia|libcuda\d|cuda-(?:drivers|compat|keyring)|nvlsm|datacenter-gpu-manager|docker|containerd"
    r"|linux-(?:modules|objects|signatures)-nvidia|kmod-nvidia|dkms$"
)

#: DCGM's list (nvvs/plugin_src/software/Software.cpp, 2024, as ported by gpud), and two that a whole node must not
#: have: launches one by one, and GPUs hidden from everybody.
HARMFUL_VARIABLES = (
    *("NSIGHT_CUDA_DEBUGGER", "CUDA_INJECTION32_PATH", "CUDA_INJECTION64_PATH", "CUDA_AUTO_BOOST"),
    *("CUDA_ENABLE_COREDUMP_ON_EXCEPTION", "CUDA_COREDUMP_FILE", "CUDA_DEVICE_WAITS_ON_EXCEPTION"),
    *("CUDA_PROFILE", "COMPUTE_PROFILE", "OPENCL_PROFILE", "CUDA_LAUNCH_BLOCKING", "CUDA_VISIBLE_DEVICES"),
)
ENVIRONMENT_FILES = (
    *("/etc/environment", "/etc/environment.d/*.conf", "/etc/profile", "/etc/profile.d/*.sh"),
    *("/etc/systemd/system.conf", "/etc/systemd/system.conf.d/*.conf"),
    *("/etc/systemd/system/*.service", "/etc/systemd/system/*.service.d/*.conf"),
)

DAEMON_JSON = "/etc/docker/daemon.json"


def libraries(host: Host) -> dict[str, t.Any]:
    """Return the places where the dynamic loader finds NVIDIA's libraries, in its order."""
    asked = host.run(["/sbin/ldconfig", "-p"])
    if not asked.ok:
        return {**dict.fromkeys(LIBRARIES), "problem": asked.problem}
    found: dict[str, t.Any] = {name: [] for name in LIBRARIES}
    # "libcuda.so.1 (libc6,x86-64) => /lib/…": a 32-bit one is plain libc6.
    for name, path in re.findall(r"^\s*(\S+) \(libc6,[^)]*\) => (\S+)$", asked.stdout, re.MULTILINE):
        if name in found:
            found[name].append(library(host, path))
    return {**found, "problem": ""}


def library(host: Host, path: str) -> dict[str, t.Any]:
    """Return what a library is; its file's real name ends in the version of the driver it belongs to."""
    real = os.path.realpath(os.path.join(host.root, path.lstrip("/")))
    version = re.search(r"\.so\.(\d{3,}\.\d+(?:\.\d+)?)$", real)
    return {"path": path, "version": version[1] if version else "", "exists": os.path.exists(real)}


def packages(host: Host) -> dict[str, t.Any]:
    manager = _node.distribution(host.root)["package_manager"]
    versions, held = _node.packages(manager, host.root)
    return {
        "manager": manager,
        "versions": {name: version for name, version in versions.items() if PACKAGES.match(name)},
        "held": [name for name in held if PACKAGES.match(name)],
        "blacklist": blacklist(host) if manager == "apt" else None,
    }


def environment(host: Host) -> list[dict[str, str]]:
    """Return where a harmful variable is set for logins or services."""
    setting = re.compile(rf"(?:^|[\s\"';=])({'|'.join(HARMFUL_VARIABLES)})=[\"']?([^\s\"';]*)")
    return [
        {"path": path, "name": name, "value": value}
        for pattern in ENVIRONMENT_FILES
        for path in host.paths(pattern)
        for line in (host.text(path) or "").splitlines()
        if not line.lstrip().startswith(("#", ";"))
        for name, value in setting.findall(line)
    ]


def toolkit(host: Host) -> dict[str, t.Any]:
    """Return the version of the container toolkit: "" when it is not installed, None when it does not tell."""
    if not host.paths("/usr/bin/nvidia-ctk"):
        return {"toolkit": "", "toolkit_problem": ""}
    asked = host.run(["/usr/bin/nvidia-ctk", "--version"])
    said = re.search(r"version v?(\d+\.\d+\.\d+\S*)", asked.stdout)
    problem = "" if said else asked.problem or "nvidia-ctk does not tell its version"
    return {"toolkit": said[1] if said else None, "toolkit_problem": problem}


def docker(host: Host, cgroup_version: int | None) -> dict[str, t.Any]:
    """Return what daemon.json says and what follows from it by Docker's own defaults."""
    text = host.text(DAEMON_JSON)
    settings: t.Any = {}
    problem = ""
    if text is None and there(host, DAEMON_JSON) is not False:
        settings, problem = None, f"{DAEMON_JSON} cannot be read"
    elif text:
        try:
            settings = json.loads(text)
        except ValueError as error:
            settings, problem = None, f"{DAEMON_JSON}: {error}"
    if not isinstance(settings, dict):
        settings, problem = None, problem or f"{DAEMON_JSON} is no dictionary"
    said: dict[str, t.Any] = settings or {}
    drivers = [one.rpartition("=")[2] for one in said.get("exec-opts", []) if "native.cgroupdriver=" in one]
    features = said.get("features", {})
    return {
        "daemon_json": settings,
        "problem": problem,
        "default_runtime": said.get("default-runtime", "runc"),
        "runtimes": sorted(said.get("runtimes", {})),
        "cdi": features.get("cdi") if isinstance(features, dict) else None,
        # dockerd(8): systemd where cgroup v2 and systemd are used, else cgroupfs.
        "cgroup_driver": drivers[-1] if drivers else "systemd" if cgroup_version == 2 else "cgroupfs",
    }


def containers(host: Host) -> dict[str, t.Any]:
    unified, old = there(host, "/sys/fs/cgroup/cgroup.controllers"), there(host, "/sys/fs/cgroup/memory")
    version = 2 if unified else 1 if old else None
    return {
        **toolkit(host),
        **_cdi.handover(host),
        "docker": docker(host, version),
        "cgroup_version": version,
    }
