# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of the driver: is it loaded, of the right flavour and version, one with its libraries, and does it answer.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import NONE, REBOOT
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    Bad,
    Finding,
    Gpu,
    Judged,
    Node,
    Skip,
    good,
    not_said,
    numbers,
    per_gpu,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import is_unread
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS, WARN

PROC_VERSION = "/proc/driver/nvidia/version"

#: nvml.h: return codes of nvmlInit that say what is wrong.
_NOT_LOADED, _NO_LIBRARY, _MISMATCH = 9, 12, 18

#: The first branch without proprietary kernel modules: driver installation guide 620, 2026-11.
_LAST_PROPRIETARY_BRANCH = 610

_MISMATCH_REMEDY = (
    "The driver was updated under a loaded module: stop what uses the GPUs and reload the module, or reboot the node; "
    "then hold the driver's packages."
)


def driver_loaded(node: Node) -> Judged:
    driver, gpus = node.host["driver"], node.host["gpus"]
    if driver["loaded"]:
        return Finding(PASS, driver["text"] or "loaded", "loaded", source=PROC_VERSION)
    if gpus is None and not node.profile.gpus:
        remedy = "Set gpus in expect, or take this node out of those with GPUs."
        return Finding(NOT_VERIFIED, "not loaded, and /sys tells of no GPU", "loaded", remedy, PROC_VERSION)
    return Finding(FAIL, "not loaded", "loaded", _why_not_loaded(node), PROC_VERSION)


def _why_not_loaded(node: Node) -> str:
    host = node.host
    running = host["kernels"]["running"]
    built = host["kernels"]["nvidia"].get(running)
    if host["modules"]["nouveau"]["loaded"]:
        return "nouveau holds the cards: blacklist it, rebuild the initramfs and reboot."
    if built == "":
        return (
            f"There is no nvidia module for kernel {running}: install linux-headers-{running}, then dkms autoinstall."
        )
    if host["secure_boot"]["enabled"]:
        return "Secure Boot is on: enrol the key that signs the module (mokutil --import) or use signed modules."
    return "Run modprobe nvidia and look in the kernel's log for NVRM; if there is no such module, install the driver."


def flavour(node: Node) -> Judged:
    """Proprietary modules do not run Blackwell and Grace, and ended with branch 610; before Turing nothing else runs."""
    observed, wished = node.host["driver"]["flavour"], node.profile.module_flavour
    if not observed:
        remedy = "Load the driver, then look again."
        return Finding(NOT_VERIFIED, "the driver does not say", wished, remedy, PROC_VERSION)
    if wished and observed != wished:
        return Finding(FAIL, observed, wished, f"Install the {wished} kernel modules and reboot.", PROC_VERSION)
    unfit = {
        str(gpu.index): f"{gpu.card.name} takes {' or '.join(gpu.card.module_flavours)}"
        for gpu in node.gpus
        if gpu.card and observed not in gpu.card.module_flavours
    }
    if unfit:
        return Finding(FAIL, {"flavour": observed, **unfit}, wished, "Install the other kernel modules.", PROC_VERSION)
    if not wished and not all(gpu.card for gpu in node.gpus):
        return not_said("module_flavour", f"{observed}, for cards that are not in the catalogue", PROC_VERSION)
    return Finding(PASS, observed, wished or "one that these cards take", source=PROC_VERSION)


def versions_agree(node: Node) -> Judged:
    """Kernel module, libnvidia-ml and libcuda are of one version; nvmlInit itself refuses with 18 when they are not."""
    host, source = node.host, f"{PROC_VERSION}, /sys/module/nvidia/version, NVML, ldconfig"
    library = node.system("nvml_version")
    found = {
        "kernel module": host["driver"]["version"],
        "module in /sys": host["modules"]["nvidia"]["version"],
        "NVML": "" if is_unread(library) else str(library).partition(".")[2],
        **{name: _newest(host["libraries"].get(name)) for name in ("libcuda.so.1", "libnvidia-ml.so.1")},
    }
    known = {name: version for name, version in found.items() if version}
    if node.nvml["init"]["code"] == _MISMATCH:
        return Finding(FAIL, known or "NVML says that they differ", "one version", _MISMATCH_REMEDY, source, REBOOT)
    if len(set(known.values())) > 1:
        return Finding(FAIL, known, "one version", _MISMATCH_REMEDY, source, REBOOT)
    kernel = {"kernel module", "module in /sys"}
    if not kernel & set(known) or not set(known) - kernel:
        remedy = "Load the driver, then look again."
        return Finding(NOT_VERIFIED, known or "no version could be read", "one version", remedy, source)
    return Finding(PASS, known["kernel module" if "kernel module" in known else "module in /sys"], source=source)


def _newest(libraries: t.Any) -> str:
    """Return the version of the library that the loader takes, or "" when nobody knows."""
    return str(libraries[0]["version"]) if libraries else ""


def nvml_answers(node: Node) -> Judged:
    init, source = node.nvml["init"], "NVML"
    expected = "answers every call in time"
    if node.nvml["hung_in"]:
        observed = f"no answer to {node.nvml['hung_in']}"
        remedy = "The driver hangs. Look in the kernel's log for Xid 119 and processes in state D."
        return Finding(FAIL, observed, expected, remedy, source, REBOOT)
    if init["code"] == 0:
        return Finding(PASS, "answers", expected, source=source)
    observed = " ".join(part for part in (init["error"], init["text"]) if part) or f"error {init['code']}"
    if init["code"] == -1:
        remedy = "Run the role gpufleet.inference.node_tools, which brings nvidia-ml-py, or name a Python in `python`."
        return Finding(NOT_VERIFIED, observed, expected, remedy, source)
    remedy = {
        _NOT_LOADED: "Load the driver: see `driver loaded`.",
        _NO_LIBRARY: "Install libnvidia-ml.so.1 of the driver's own version.",
        _MISMATCH: _MISMATCH_REMEDY,
    }.get(init["code"], "Look in the kernel's log for NVRM.")
    return Finding(FAIL, observed, expected, remedy, source, REBOOT if init["code"] == _MISMATCH else NONE)


def driver_version(node: Node) -> Judged:
    observed, wished = node.driver_version, node.profile.driver_version
    if not observed:
        return Finding(NOT_VERIFIED, "could not be read", wished, "Load the driver, then look again.", PROC_VERSION)
    if not wished:
        return not_said("driver_version", observed, PROC_VERSION)
    remedy = "Run the role gpufleet.inference.nvidia_driver, which installs exactly this version and holds it."
    return Finding(PASS if observed == wished else FAIL, observed, wished, remedy, PROC_VERSION)


def driver_branch(node: Node) -> Judged:
    """Cards have a first branch that knows them, some a last one."""
    branch = numbers(node.driver_version)[:1]
    bounded = [gpu for gpu in node.gpus if gpu.card and (gpu.card.least_branch or gpu.card.last_branch)]
    if not bounded and node.host["driver"]["flavour"] != "proprietary":
        return Skip("no bound of these cards is known")
    if not branch:
        return Finding(NOT_VERIFIED, "no version could be read", remedy="Load the driver.", source=PROC_VERSION)
    wrong = {
        str(gpu.index): f"{gpu.card.name} takes {gpu.card.least_branch or 'any'} to {gpu.card.last_branch or 'newest'}"
        for gpu in bounded
        if gpu.card and not (gpu.card.least_branch or 0) <= branch[0] <= (gpu.card.last_branch or branch[0])
    }
    if wrong:
        return Finding(FAIL, {"branch": branch[0], **wrong}, remedy="Install another branch.", source=PROC_VERSION)
    if branch[0] > _LAST_PROPRIETARY_BRANCH and node.host["driver"]["flavour"] == "proprietary":
        remedy = "Branches from 620 on have only open modules: install those."
        return Finding(FAIL, f"{branch[0]}, proprietary", remedy=remedy, source=PROC_VERSION)
    return Finding(PASS, branch[0], source=PROC_VERSION)


def cuda_version(node: Node) -> Judged:
    read, wished = node.system("cuda_version"), node.profile.cuda_at_least
    source = "nvmlSystemGetCudaDriverVersion_v2"
    if is_unread(read):
        return Finding(NOT_VERIFIED, f"could not be read: {read['unread']}", wished, "Load the driver.", source)
    observed = f"{int(read) // 1000}.{int(read) % 1000 // 10}"
    if not wished:
        return not_said("cuda_at_least", observed, source)
    enough = numbers(observed) >= numbers(wished)
    remedy = "Install a newer driver branch, or cuda-compat for cards of the data centre."
    return Finding(PASS if enough else FAIL, observed, f"at least {wished}", remedy, source)


def nouveau(node: Node) -> Judged:
    modules, source = node.host["modules"], "/sys/module, /etc/modprobe.d"
    loaded = [name for name in ("nouveau", "nova_core") if modules[name]["loaded"]]
    remedy = "Blacklist it in /etc/modprobe.d, rebuild the initramfs and reboot."
    if loaded:
        return Finding(FAIL, f"{', '.join(loaded)} is loaded", "absent", remedy, source, REBOOT)
    if node.in_container:
        return Skip("modules belong to the machine around this container")
    if not node.host["nouveau"]["blacklisted_by"]:
        return Finding(WARN, "not loaded, but nothing keeps it from the next boot", "absent", remedy, source)
    return Finding(PASS, "absent", "absent", source=source)


def gsp_firmware(node: Node) -> Judged:
    version = node.driver_version

    def judge(enabled: t.Any, gpu: Gpu) -> Bad | None:
        loaded = gpu.read("gsp_firmware_version")
        if not enabled:
            return Bad(WARN, "off")
        if is_unread(loaded):
            return Bad(NOT_VERIFIED, f"version could not be read: {loaded['unread']}")
        return Bad(WARN, f"version {loaded}") if version and loaded != version else None

    remedy = "Remove NVreg_EnableGpuFirmware=0 from /etc/modprobe.d and reload the driver."
    judged = per_gpu(
        node,
        lambda gpu: gpu.read("gsp_firmware_mode", "enabled"),
        judge,
        f"on, version {version}",
        remedy,
        "nvmlDeviceGetGspFirmwareMode, nvmlDeviceGetGspFirmwareVersion",
        may_lack=lambda gpu: gpu.card is not None and gpu.card.architecture == "volta",
    )
    return good(judged, f"on, version {version}")


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "driver loaded": driver_loaded,
    "NVML answers": nvml_answers,
    "driver and libraries agree": versions_agree,
    "kernel module flavour": flavour,
    "driver version": driver_version,
    "driver branch": driver_branch,
    "CUDA version": cuda_version,
    "nouveau": nouveau,
    "GSP firmware": gsp_firmware,
}
