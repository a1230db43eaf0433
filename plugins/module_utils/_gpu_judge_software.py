# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of what stands around the driver on disk: libraries, device nodes, packages, the next kernel.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import REBOOT
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    Finding,
    Judged,
    Node,
    Skip,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS, WARN

_DRIVER_ROLE = "Run the role gpufleet.inference.nvidia_driver here."
LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")
#: Of the packages that were read: the driver, what must be of its version, and the container toolkit.
_DRIVER_PACKAGES = re.compile(r"nvidia|^nvlsm|^libnvsdm|^cuda-(?:drivers|compat)|^libcuda\d")
_ELSEWHERE = "it belongs to the machine around this container"


def libraries(node: Node) -> Judged:
    found, source = node.host["libraries"], "ldconfig -p"
    lists = {name: found.get(name) for name in LIBRARIES}
    if any(one is None for one in lists.values()):
        return Finding(NOT_VERIFIED, found["problem"] or "ldconfig could not be asked", LIBRARIES, "", source)
    wrong = {name: "not in the loader's cache" for name, one in lists.items() if not one}
    for name, one in lists.items():
        gone = [library["path"] for library in one or [] if not library["exists"]]
        versions = sorted({library["version"] for library in one or [] if library["version"]})
        if gone:
            wrong[name] = f"{', '.join(gone)} is gone"
        elif len(versions) > 1:
            wrong[name] = f"several versions: {', '.join(versions)}"
    if wrong:
        remedy = "Install the driver's user space of one version, remove the others, run ldconfig."
        return Finding(FAIL, wrong, LIBRARIES, remedy, source)
    return Finding(PASS, "found", LIBRARIES, source=source)


def device_nodes(node: Node) -> Judged:
    nodes, source = node.host["device_nodes"], "/dev"
    if not node.gpus and not node.host["gpus"]:
        return Finding(NOT_VERIFIED, "no GPU was found", remedy="See `GPU count`.", source=source)
    minors = [gpu.number("minor_number") for gpu in node.gpus]
    if node.gpus and None not in minors:
        cards = [f"/dev/nvidia{int(minor)}" for minor in minors if minor is not None]
    else:
        cards = [f"/dev/nvidia{index}" for index in range(len(node.gpus or node.host["gpus"] or []))]
    wanted = ["/dev/nvidiactl", "/dev/nvidia-uvm", *cards]
    missing, expected = [path for path in wanted if path not in nodes], f"{len(wanted)} nodes, mode 0666"
    closed = [f"{path} {nodes[path]}" for path in wanted if path in nodes and int(nodes[path], 8) & 0o006 != 0o006]
    if missing:
        remedy = "Start nvidia-persistenced, or run nvidia-modprobe -u -c=0."
        return Finding(FAIL, f"missing: {', '.join(missing)}", expected, remedy, source)
    if closed:
        remedy = "Remove NVreg_DeviceFileMode from /etc/modprobe.d, or let the service's user in."
        return Finding(WARN, f"not for everybody: {', '.join(closed)}", expected, remedy, source)
    return Finding(PASS, f"{len(wanted)} nodes", expected, source=source)


def environment(node: Node) -> Judged:
    """Variables that slow CUDA down or make programs behave otherwise, where every service gets them."""
    found, source = node.host["environment"], "/etc/environment, unit files"
    if not found:
        return Finding(PASS, "none", "none", source=source)
    remedy = "Remove them: they change every CUDA program of this node."
    return Finding(WARN, [f"{one['name']} in {one['path']}" for one in found], "none", remedy, source)


def stuck_processes(node: Node) -> Judged:
    found, source = node.host["stuck_processes"], "/proc/*/stat"
    if found is None:
        return Finding(NOT_VERIFIED, "could not be read", "none", "Look with ps for processes in state D.", source)
    if not found:
        return Finding(PASS, "none", "none", source=source)
    observed = [f"{one['name']} ({one['pid']}) in {one['where']}" for one in found]
    return Finding(FAIL, observed, "none", "They wait in the driver and cannot be killed.", source, REBOOT)


def secure_boot(node: Node) -> Judged:
    read, source = node.host["secure_boot"], "efivars, /sys/kernel/security/lockdown, mokutil"
    loaded = node.host["driver"]["loaded"]
    if loaded:
        return Finding(
            PASS, "on, and the driver is loaded" if read["enabled"] else "does not stop the driver", source=source
        )
    if node.in_container:
        return Skip(_ELSEWHERE)
    if read["enabled"] is None and read["efi"] is not False:
        return Finding(NOT_VERIFIED, "could not be read", remedy="Look with mokutil --sb-state.", source=source)
    if not read["enabled"]:
        return Finding(PASS, "off", source=source)
    foreign = [key["path"] for key in read["keys"] if key["enrolled"] is False]
    remedy = (
        "Secure Boot lets only signed modules in: enrol the key with mokutil --import and confirm it at the console at "
        "the next boot, use modules signed by the distribution, or turn Secure Boot off."
    )
    observed = f"on; not enrolled: {', '.join(foreign)}" if foreign else "on, and the driver is not loaded"
    return Finding(FAIL, observed, "the driver can be loaded", remedy, source)


def next_kernel(node: Node) -> Judged:
    kernels, loaded = node.host["kernels"], node.driver_version
    following, source = kernels["next"], "modinfo, the boot loader"
    if node.in_container:
        return Skip(_ELSEWHERE)
    if following is None:
        why = kernels["problem"] or "nobody knows which kernel boots next"
        return Finding(
            NOT_VERIFIED, why, loaded, "Look with modinfo -k <kernel> nvidia before the next reboot.", source
        )
    module = kernels["nvidia"].get(following)
    if module is None:
        why = kernels["problem"] or f"{following}: could not be read"
        return Finding(NOT_VERIFIED, why, loaded, f"Look with modinfo -k {following} nvidia.", source)
    if not module:
        remedy = f"Install linux-headers-{following} and run dkms autoinstall -k {following} before the next reboot."
        return Finding(FAIL, f"{following} has no nvidia module", loaded, remedy, source)
    if loaded and module != loaded:
        remedy = f"The next boot changes the driver. Build {loaded} for {following}, or plan that reboot."
        return Finding(WARN, f"{following} has {module}", loaded, remedy, source)
    return Finding(PASS, f"{following} has {module}", loaded, source=source)


def packages_held(node: Node) -> Judged:
    """Driver, Fabric Manager and toolkit move together or not at all: a half of them updated stops CUDA."""
    read, source = node.host["packages"], "package database"
    installed = sorted(name for name in read["versions"] if _DRIVER_PACKAGES.search(name))
    if not node.profile.packages_held:
        return Skip("expect.packages_held is false")
    if read["manager"] == "unknown":
        return Finding(NOT_VERIFIED, "no package manager that we know", "held", "Keep updates from the driver.", source)
    # Alone, cuda-compat lies in an image whose driver comes from around it.
    if all(name.startswith("cuda-compat") for name in installed):
        return Skip("the driver is from no package")
    pinned = any(name.startswith("nvidia-driver-pinning") for name in installed)
    free = [] if pinned else [name for name in installed if name not in read["held"]]
    if free:
        return Finding(WARN, f"not held: {', '.join(free)}", "all held", _DRIVER_ROLE, source)
    if read["manager"] == "apt":
        if read["blacklist"] is None:
            remedy = "Run apt-config dump by hand."
            return Finding(NOT_VERIFIED, "the blacklist of unattended upgrades is unknown", "held", remedy, source)
        open_to = [name for name in installed if not any(re.match(one, name) for one in read["blacklist"])]
        if open_to:
            return Finding(WARN, f"unattended upgrades may touch {', '.join(open_to)}", "none", _DRIVER_ROLE, source)
    return Finding(PASS, f"{len(installed)} packages are held", "all held", source=source)


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "libraries": libraries,
    "device nodes": device_nodes,
    "harmful variables": environment,
    "stuck processes": stuck_processes,
    "Secure Boot": secure_boot,
    "module for the next kernel": next_kernel,
    "driver packages held": packages_held,
}
