# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of how the cards hang on PCIe: width and generation of the link, replays, errors.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import HANDS_ON, RESET
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    IDLE,
    Bad,
    Gpu,
    Judged,
    Node,
    Skip,
    good,
    per_gpu,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import is_unread, not_supported, unread
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, WARN

#: Replays per lane and minute that DCGM 4.6.0 accepts (2026-07-06), by PCIe generation.
REPLAYS_PER_LANE_MINUTE = {1: 0.15, 2: 0.3, 3: 0.48, 4: 0.96, 5: 1.92, 6: 3.84}
#: GT/s of a lane → PCIe generation.
_GENERATIONS = {2.5: 1, 5.0: 2, 8.0: 3, 16.0: 4, 32.0: 5, 64.0: 6}

_REMEDY = "The PCIe link is bad: reseat the card, look at riser and cables."


def pcie_link(node: Node) -> Judged:
    """Width and generation against the card's own best, not against what this slot gave it."""
    functions = {one["pci"]: one for one in node.host["gpus"] or []}

    def judge(link: t.Any, gpu: Gpu) -> Bad | None:
        generation, width = link
        best_width = max(
            filter(None, [gpu.number("pcie_width_max"), gpu.card.pcie_width if gpu.card else None]), default=None
        )
        best = max(
            filter(None, [gpu.number("pcie_generation_max"), gpu.card.pcie_generation if gpu.card else None]),
            default=None,
        )
        if best is None or best_width is None:
            return Bad(NOT_VERIFIED, f"x{width} generation {generation}; the best is unknown")
        if width < best_width:
            return Bad(FAIL, f"x{width} of x{best_width:.0f}", HANDS_ON)
        slot = gpu.number("pcie_generation_max")
        if slot is not None and slot < best:
            return Bad(FAIL, f"generation {slot:.0f} of {best:.0f}, in this slot", HANDS_ON)
        if generation >= best:
            return None
        # A card that rests lowers its link: only at full power is a low one a fault.
        if gpu.number("performance_state") == 0 and not int(gpu.number("clock_event_reasons") or 0) & IDLE:
            return Bad(FAIL, f"generation {generation} of {best:.0f}", HANDS_ON)
        return Bad(NOT_VERIFIED, f"generation {generation} of {best:.0f} at rest")

    def read(gpu: Gpu) -> t.Any:
        link = [gpu.read("pcie_generation"), gpu.read("pcie_width")]
        function = functions.get(gpu.pci, {})
        sysfs = [_GENERATIONS.get(function.get("link_speed_gts") or 0), function.get("link_width")]
        for index, value in enumerate(sysfs):
            if is_unread(link[index]) and value:
                link[index] = value
        # Guests may be told a wide link by one of the two: on bare metal both must say it.
        if not node.guest and sysfs[1] and not is_unread(link[1]):
            link[1] = min(link[1], sysfs[1])
        return next((one for one in link if is_unread(one)), link)

    remedy = "Look again under load if it rests. Else: BIOS setting of the slot, riser, seating."
    source = "nvmlDeviceGetCurrPcieLinkGeneration, nvmlDeviceGetCurrPcieLinkWidth, /sys/bus/pci"
    integrated = [gpu for gpu in node.gpus if gpu.card and gpu.card.fabric == "rack"]
    if integrated and len(integrated) == len(node.gpus):
        return Skip("these cards hang on their CPU, not in a slot")
    judged = per_gpu(node, read, judge, "the card's best", remedy, source)
    return good(judged, "the card's best")


def pcie_replays(node: Node) -> Judged:
    """Replays since the driver was loaded, per lane and minute, against DCGM's table for the generation."""
    uptime = node.host["boot"]["uptime_seconds"]

    def judge(replays: t.Any, gpu: Gpu) -> Bad | None:
        if not replays:
            return None
        generation, width = gpu.number("pcie_generation"), gpu.number("pcie_width")
        if not uptime or generation is None or width is None:
            return Bad(NOT_VERIFIED, f"{replays} replays in an unknown time")
        limit = REPLAYS_PER_LANE_MINUTE.get(int(generation), 0.15) * width
        rate = replays / max(uptime / 60, 1)
        return Bad(WARN, f"{rate:.1f} a minute, more than {limit:.1f}") if rate > limit else None

    source = "nvmlDeviceGetPcieReplayCounter"
    return good(per_gpu(node, lambda gpu: gpu.read("pcie_replays"), judge, "few", _REMEDY, source), "few")


def pcie_errors(node: Node) -> Judged:
    """Errors that the kernel counts (AER) and, where guests have none of these, that the card counts."""
    functions = {one["pci"]: one for one in node.host["gpus"] or []}
    many = node.profile.threshold("aer_correctable")

    def read(gpu: Gpu) -> t.Any:
        counted = functions.get(gpu.pci, {}).get("aer")
        if counted:
            return counted
        own = {
            "fatal": gpu.read("pcie_errors", "fatal"),
            "nonfatal": gpu.read("pcie_errors", "non_fatal"),
            "correctable": gpu.read("pcie_errors", "correctable"),
        }
        lost = [value for value in own.values() if is_unread(value)]
        if lost and all(not_supported(value) for value in lost):
            return lost[0]
        return unread(lost[0]["unread"], lost[0]["code"]) if lost else own

    def judge(errors: t.Any, gpu: Gpu) -> Bad | None:
        if errors["fatal"]:
            return Bad(FAIL, f"{errors['fatal']} fatal", RESET)
        if errors["nonfatal"]:
            return Bad(WARN, f"{errors['nonfatal']} not fatal")
        return Bad(WARN, f"{errors['correctable']} corrected") if errors["correctable"] > many else None

    source = "/sys/bus/pci/devices/*/aer_dev_*, NVML fields 173, 179, 180"
    judged = per_gpu(node, read, judge, "none", _REMEDY, source, lambda gpu: not gpu.has_ecc_tables)
    return good(judged, f"none that count, at most {many:.0f} corrected")


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "PCIe link": pcie_link,
    "PCIe replays": pcie_replays,
    "PCIe errors": pcie_errors,
}
