# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of which cards there are: how many, of what kind, all alike, set as wished, and free.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_catalog import BY_KIND
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import (
    HANDS_ON,
    REBOOT,
    RECOVERY_ACTIONS,
    RESET,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    LOOK_AGAIN,
    Bad,
    Finding,
    Gpu,
    Judged,
    Node,
    Skip,
    good,
    not_said,
    per_gpu,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import OUTSIDE, is_unread
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS, WARN

#: nvml.h: GPU is lost, and reset required.
_LOST, _RESET_REQUIRED = 15, 16

#: By how much of the catalogue's memory a healthy card may differ: drivers reserve, brochures round.
_MEMORY_TOLERANCE = 0.06

_COMPUTE_MODES = {0: "default", 2: "prohibited", 3: "exclusive_process"}


def count(node: Node) -> Judged:
    """NVML and the PCI bus must both tell of the wished number: a card that only one of them knows is lost."""
    functions, wished = node.host["gpus"], node.profile.gpus
    source = "nvmlDeviceGetCount_v2, /sys/bus/pci"
    on_bus = None if functions is None else len(functions)
    looked = node.nvml["init"]["code"] == 0
    opened = len(node.nvml["gpus"]) if looked else None
    observed = {"NVML": "unknown" if opened is None else opened, "PCI": "unknown" if on_bus is None else on_bus}
    known = [number for number in (opened, on_bus) if number is not None]
    if not known:
        return Finding(NOT_VERIFIED, observed, wished, LOOK_AGAIN, source)
    if wished == 0 and on_bus == 0 and not opened:
        return Finding(PASS, 0, 0, source=source)
    if wished is not None and any(number > wished for number in known):
        return Finding(FAIL, observed, wished, "More GPUs than the profile says: correct gpus in expect.", source)
    if (on_bus is not None and on_bus < (opened or 0)) or (
        wished is not None and on_bus is not None and on_bus < wished
    ):
        remedy = "A card is not on the PCI bus: power the node off and on, then reseat it or let it be replaced."
        return Finding(FAIL, observed, wished, remedy, source, HANDS_ON)
    if opened is not None and on_bus is not None and opened < on_bus:
        return Finding(FAIL, observed, wished if wished is not None else on_bus, _missing(node), source, REBOOT)
    if wished is not None and opened is not None and opened < wished:
        return Finding(FAIL, observed, wished, _missing(node), source, REBOOT)
    if opened is None:
        return Finding(NOT_VERIFIED, observed, wished, "NVML does not answer: see `NVML answers`.", source)
    if wished is None:
        return not_said("gpus", observed, source)
    if on_bus is None:
        return Finding(NOT_VERIFIED, observed, wished, "Look at lspci -d 10de: by hand.", source)
    return Finding(PASS, wished, wished, source=source)


def _missing(node: Node) -> str:
    """Return what to do about cards that the bus knows and NVML does not."""
    seen = {str(gpu.get("pci")) for gpu in node.nvml["gpus"]}
    strangers = [one for one in node.host["gpus"] or [] if one["pci"] not in seen]
    handed = [one["pci"] for one in strangers if one["driver"] not in ("nvidia", "")]
    if handed:
        return f"{', '.join(handed)} belong to another driver ({strangers[0]['driver']}): bind them to nvidia."
    where = ", ".join(one["pci"] for one in strangers) or "a card"
    return f"NVML does not know {where}: look for its Xid in the kernel's log."


def handles(node: Node) -> Judged:
    source, expected = "nvmlDeviceGetHandleByIndex_v2", "every GPU can be opened"
    if node.nvml["init"]["code"] != 0:
        return Finding(NOT_VERIFIED, "NVML does not answer", expected, "See `NVML answers`.", source)
    lost = {gpu["index"]: gpu["handle"] for gpu in node.nvml["gpus"] if is_unread(gpu["handle"])}
    if not node.nvml["gpus"]:
        return Finding(NOT_VERIFIED, "NVML knows no GPU", expected, "See `GPU count`.", source)
    if not lost:
        return Finding(PASS, f"{len(node.nvml['gpus'])} opened", expected, source=source)
    observed = {str(index): one["unread"] for index, one in sorted(lost.items())}
    codes = {one["code"] for one in lost.values()} - {OUTSIDE}
    if not codes:
        return Finding(NOT_VERIFIED, observed, expected, "See `NVML answers`: it did not come so far.", source)
    action = RESET if codes == {_RESET_REQUIRED} else REBOOT
    remedy = "A lost GPU stays lost until a reboot." if _LOST in codes else ""
    return Finding(FAIL, observed, expected, remedy, source, action, tuple(sorted(lost)))


def on_the_bus(node: Node) -> Judged:
    """A card that fell off the bus answers every read of its configuration space with ones: revision ff."""
    functions, source = node.host["gpus"], "/sys/bus/pci/devices/*/config"
    if not functions:
        remedy = "Look at lspci -d 10de: by hand." if functions is None else "See `GPU count`."
        return Finding(NOT_VERIFIED, "no GPU on the PCI bus", "not ff", remedy, source)
    fallen = [one["pci"] for one in functions if one["revision"] == "ff"]
    if fallen:
        remedy = "It fell off the bus. If it does so again: power, seating, riser, replacement."
        return Finding(FAIL, f"{', '.join(fallen)}: revision ff", "not ff", remedy, source, REBOOT)
    unknown = [one["pci"] for one in functions if one["revision"] is None]
    if unknown:
        return Finding(NOT_VERIFIED, f"{', '.join(unknown)}: unreadable", "not ff", "Read it as root.", source)
    return Finding(PASS, f"{len(functions)} answer", "not ff", source=source)


def known_cards(node: Node) -> Judged:
    def judge(device_id: t.Any, gpu: Gpu) -> Bad | None:
        return None if gpu.card else Bad(NOT_VERIFIED, f"{device_id} ({gpu.read('name')}) is not in the catalogue")

    remedy = "Much is not checked for it: add a row to _gpu_catalog.py."
    return per_gpu(node, lambda gpu: gpu.read("device_id"), judge, "known kinds", remedy, "nvmlDeviceGetPciInfo_v3")


def kind(node: Node) -> Judged:
    wished = node.profile.kind

    def judge(device_id: t.Any, gpu: Gpu) -> Bad | None:
        if gpu.card and gpu.card.kind == wished:
            return None
        return Bad(FAIL, gpu.card.kind if gpu.card else f"{device_id}, unknown")

    source = "nvmlDeviceGetPciInfo_v3"
    if wished is None:
        there = sorted({gpu.card.kind if gpu.card else "unknown" for gpu in node.gpus})
        return not_said("kind", ", ".join(there) or "no GPU could be opened", source)
    expected = f"{wished} ({', '.join(BY_KIND[wished].device_ids)})"
    remedy = "Correct kind in expect, or take the node out: it is not what the deployment was planned for."
    return per_gpu(node, lambda gpu: gpu.read("device_id"), judge, expected, remedy, source)


def memory_size(node: Node) -> Judged:
    def judge(read: t.Any, gpu: Gpu) -> Bad | None:
        gib = round(int(read) / 2**30, 1)
        nominal = gpu.card.memory_gib if gpu.card else None
        if nominal is None:
            return Bad(NOT_VERIFIED, f"{gib} GiB; the catalogue does not say")
        return None if abs(gib / nominal - 1) <= _MEMORY_TOLERANCE else Bad(FAIL, f"{gib} of {nominal} GiB", RESET)

    remedy = "A part of the memory is gone: look for Xid 168 and at MIG; if it stays so, let the card be replaced."
    judged = per_gpu(
        node, lambda gpu: gpu.read("memory_total_bytes"), judge, None, remedy, "nvmlDeviceGetMemoryInfo_v2"
    )
    if isinstance(judged, Finding) and judged.verdict == PASS:
        sizes = sorted({round(int(gpu.read("memory_total_bytes")) / 2**30, 1) for gpu in node.gpus})
        return Finding(PASS, ", ".join(f"{size} GiB" for size in sizes), source=judged.source)
    return judged


def _alike(what: str, remedy: str, source: str, *path: str) -> t.Callable[[Node], Judged]:
    """Return the judge of a value that all GPUs of a node should share; the odd ones out are named."""

    def judge_node(node: Node) -> Judged:
        values = [str(gpu.read(*path)) for gpu in node.gpus if not is_unread(gpu.read(*path))]
        usual = max(sorted(set(values)), key=values.count) if values else ""

        def judge(read: t.Any, gpu: Gpu) -> Bad | None:
            return None if str(read) == usual else Bad(WARN, read)

        return per_gpu(node, lambda gpu: gpu.read(*path), judge, f"one {what}", remedy, source, _no_data_centre_card)

    return judge_node


def _no_data_centre_card(gpu: Gpu) -> bool:
    return gpu.card is not None and not gpu.card.hbm


def inforom_valid(node: Node) -> Judged:
    def judge(valid: t.Any, gpu: Gpu) -> Bad | None:
        return None if valid else Bad(FAIL, "corrupted", RESET)

    remedy = "If it stays corrupted after a reset, let the card be replaced."
    source = "nvmlDeviceValidateInforom"
    return per_gpu(node, lambda gpu: gpu.read("inforom_valid"), judge, "valid", remedy, source, _no_data_centre_card)


def recovery_action(node: Node) -> Judged:
    """The driver's own verdict on a GPU."""

    def judge(code: t.Any, gpu: Gpu) -> Bad | None:
        if int(code) == 0:
            return None
        action = RECOVERY_ACTIONS.get(int(code))
        # What nobody knows is not weaker than what everybody knows.
        return Bad(FAIL, f"{code}: {action or 'unknown to us'}", action or REBOOT)

    source = "NVML field 230"
    return per_gpu(
        node, lambda gpu: gpu.read("recovery_action"), judge, "none", "", source, lambda gpu: not gpu.has_ecc_tables
    )


def mig(node: Node) -> Judged:
    """Current and pending mode; tensor parallel deployments need whole cards."""
    wished = node.profile.mig

    def judge(modes: t.Any, gpu: Gpu) -> Bad | None:
        current, pending = (bool(mode) for mode in modes)
        if current == pending == wished:
            return None
        after = "" if current == pending else f", {'on' if pending else 'off'} after a reset"
        return Bad(FAIL, f"{'on' if current else 'off'}{after}", RESET)

    expected = "on" if wished else "off"
    remedy = f"Set it with nvidia-smi --multi-instance-gpu={int(wished)} before the reset."
    source = "nvmlDeviceGetMigMode"
    judged = per_gpu(node, lambda gpu: gpu.read("mig_mode"), judge, expected, remedy, source, lambda gpu: not wished)
    return good(judged, expected)


def compute_mode(node: Node) -> Judged:
    wished = node.profile.compute_mode

    def judge(mode: t.Any, gpu: Gpu) -> Bad | None:
        name = _COMPUTE_MODES.get(int(mode), f"mode {mode}")
        return None if name == wished else Bad(FAIL, name)

    remedy = f"Run nvidia-smi --compute-mode={wished.upper()}."
    judged = per_gpu(node, lambda gpu: gpu.read("compute_mode"), judge, wished, remedy, "nvmlDeviceGetComputeMode")
    return good(judged, wished)


def processes(node: Node) -> Judged:
    wished, source = node.profile.processes, "nvmlDeviceGetComputeRunningProcesses_v3"
    if wished == "any":
        return Skip("expect.processes is any")
    if wished is None:
        running = [gpu.read("processes") for gpu in node.gpus]
        many = sum(len(one) for one in running if not is_unread(one))
        return not_said("processes", f"{many} processes", source)

    def judge(found: t.Any, gpu: Gpu) -> Bad | None:
        return Bad(WARN, f"processes {', '.join(str(one['pid']) for one in found)}") if found else None

    remedy = "Stop what still runs there: it takes memory from what will be deployed."
    judged = per_gpu(node, lambda gpu: gpu.read("processes"), judge, "none", remedy, source)
    return good(judged, "none")


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "GPU count": count,
    "GPU handles": handles,
    "GPUs on the bus": on_the_bus,
    "recovery action": recovery_action,
    "GPUs in the catalogue": known_cards,
    "GPU kind": kind,
    "GPUs alike": _alike("kind of card", "Mixed cards run at the pace of the slowest.", "PCI device id", "device_id"),
    "GPU memory size": memory_size,
    "VBIOS alike": _alike(
        "VBIOS", "Let the vendor bring all cards to one VBIOS.", "nvmlDeviceGetVbiosVersion", "vbios_version"
    ),
    "InfoROM alike": _alike(
        "InfoROM",
        "Let the vendor bring all cards to one InfoROM.",
        "nvmlDeviceGetInforomImageVersion",
        "inforom_version",
    ),
    "InfoROM valid": inforom_valid,
    "MIG mode": mig,
    "compute mode": compute_mode,
    "leftover processes": processes,
}
