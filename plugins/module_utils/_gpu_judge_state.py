# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of how the cards run: persistence, throttling, temperature, power, clocks, PCIe.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import HANDS_ON, RESET
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    HOPPER,
    Bad,
    Finding,
    Gpu,
    Judged,
    Node,
    Skip,
    per_gpu,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import is_unread, not_supported, unread
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS, WARN, worst

#: nvml.h: bits of nvmlDeviceGetCurrentClocksEventReasons.
_IDLE, _POWER_CAP, _HW_SLOWDOWN, _SW_THERMAL, _HW_THERMAL, _POWER_BRAKE = 0x1, 0x4, 0x8, 0x20, 0x40, 0x80
_SLOWED: tuple[tuple[int, str, str], ...] = (
    (_HW_THERMAL, FAIL, "hardware thermal slowdown"),
    (_POWER_BRAKE, FAIL, "power brake"),
    (_HW_SLOWDOWN, FAIL, "hardware slowdown"),
    (_SW_THERMAL, WARN, "software thermal slowdown"),
)
#: Fields of cumulative nanoseconds: SW thermal, HW thermal, power brake (nvml.h, API 13).
_SLOW_FIELDS = (
    ("269", "throttle_software_seconds", "software thermal slowdown"),
    ("270", "throttle_hardware_seconds", "hardware thermal slowdown"),
    ("271", "throttle_hardware_seconds", "power brake"),
)
#: Replays per lane and minute that DCGM 4.6.0 accepts (2026-07-06), by PCIe generation.
REPLAYS_PER_LANE_MINUTE = {1: 0.15, 2: 0.3, 3: 0.48, 4: 0.96, 5: 1.92, 6: 3.84}
#: GT/s of a lane → PCIe generation.
_GENERATIONS = {2.5: 1, 5.0: 2, 8.0: 3, 16.0: 4, 32.0: 5, 64.0: 6}

_COOLING = "Look at fans, air flow, inlet temperature and coolant of this node."


def _good(judged: Judged, observed: str) -> Judged:
    """Return the finding with words instead of numbers when all is well."""
    if isinstance(judged, Finding) and judged.verdict == PASS:
        return Finding(PASS, observed, judged.expected, source=judged.source)
    return judged


def _no_data_centre_card(gpu: Gpu) -> bool:
    return gpu.card is not None and not gpu.card.hbm


def persistence(node: Node) -> Judged:
    """The service may be active and the mode off: distributions start it with --no-persistence-mode."""
    wished = node.profile.persistence

    def judge(mode: t.Any, gpu: Gpu) -> Bad | None:
        return None if bool(mode) == wished else Bad(WARN, "on" if mode else "off")

    unit = (node.host["units"] or {}).get("nvidia-persistenced.service", {})
    remedy = "Start nvidia-persistenced with --persistence-mode: run the role gpufleet.inference.nvidia_driver."
    if "--no-persistence-mode" in unit.get("exec_start", ""):
        remedy = f"The unit nvidia-persistenced says --no-persistence-mode. {remedy}"
    expected = "on" if wished else "off"
    source = "nvmlDeviceGetPersistenceMode"
    return _good(per_gpu(node, lambda gpu: gpu.read("persistence_mode"), judge, expected, remedy, source), expected)


def throttled_now(node: Node) -> Judged:
    def judge(reasons: t.Any, gpu: Gpu) -> Bad | None:
        found = [(verdict, name) for bit, verdict, name in _SLOWED if int(reasons) & bit]
        if not found:
            return None
        return Bad(worst(verdict for verdict, name in found), ", ".join(name for verdict, name in found))

    remedy = f"{_COOLING} A power brake comes from the power supplies or the rack."
    source = "nvmlDeviceGetCurrentClocksEventReasons"
    return _good(
        per_gpu(node, lambda gpu: gpu.read("clock_event_reasons"), judge, "no slowdown", remedy, source), "none"
    )


def throttled_before(node: Node) -> Judged:
    def read(gpu: Gpu) -> t.Any:
        values = {field: gpu.read("throttle_ns", field) for field, _limit, _name in _SLOW_FIELDS}
        known = {field: value for field, value in values.items() if not is_unread(value)}
        return known or next(iter(values.values()))

    def judge(counters: t.Any, gpu: Gpu) -> Bad | None:
        long = [
            f"{int(counters[field]) / 1e9:.0f} s {name}"
            for field, limit, name in _SLOW_FIELDS
            if int(counters.get(field, 0)) / 1e9 > node.profile.threshold(limit)
        ]
        if long:
            return Bad(WARN, ", ".join(long))
        missing = [name for field, _limit, name in _SLOW_FIELDS if field not in counters]
        return Bad(NOT_VERIFIED, f"unread: {', '.join(missing)}") if missing else None

    remedy = f"It was slowed down since the driver was loaded. {_COOLING}"
    source = "NVML fields 269, 270, 271"
    expected = "no long slowdown"
    judged = per_gpu(node, read, judge, expected, remedy, source, lambda gpu: not gpu.has_ecc_tables)
    return _good(judged, expected)


def temperature_margin(node: Node) -> Judged:
    least = node.profile.threshold("temperature_margin_c")

    def judge(margin: t.Any, gpu: Gpu) -> Bad | None:
        if int(margin) > least:
            return None
        if int(margin) > 0:
            return Bad(WARN, f"{margin} °C below the limit")
        # Some H100 always say so (gpud ignores it): believed only when the clocks say it too.
        reasons = gpu.number("clock_event_reasons")
        hot = reasons is not None and int(reasons) & (_SW_THERMAL | _HW_THERMAL)
        return Bad(WARN, f"{margin} °C, and slowed down") if hot else Bad(NOT_VERIFIED, f"{margin} °C is not credible")

    judged = per_gpu(
        node,
        lambda gpu: gpu.read("margin_temperature_c"),
        judge,
        f"more than {least:.0f} °C below the limit",
        _COOLING,
        "nvmlDeviceGetMarginTemperature",
        may_lack=lambda gpu: not gpu.has_ecc_tables or (gpu.architecture or HOPPER) < HOPPER,
    )
    return _good(judged, "enough")


def memory_temperature(node: Node) -> Judged:
    limit = node.profile.threshold("memory_temperature_c")

    def judge(degrees: t.Any, gpu: Gpu) -> Bad | None:
        return Bad(WARN, f"{degrees} °C") if int(degrees) >= limit else None

    source = "NVML field 82"
    judged = per_gpu(
        node,
        lambda gpu: gpu.read("memory_temperature_c"),
        judge,
        f"below {limit:.0f} °C",
        _COOLING,
        source,
        _no_data_centre_card,
    )
    return _good(judged, f"below {limit:.0f} °C")


def power_limit(node: Node) -> Judged:
    """The enforced limit is the lowest of several; it should be the card's own default, or what the profile says."""
    wished = node.profile.power_limit_w

    def judge(limits: t.Any, gpu: Gpu) -> Bad | None:
        enforced, wanted = limits
        return (
            None if abs(enforced - wanted) < 1000 else Bad(WARN, f"{enforced / 1000:.0f} W, not {wanted / 1000:.0f} W")
        )

    def read(gpu: Gpu) -> t.Any:
        enforced = gpu.read("power_enforced_limit_mw")
        wanted = wished * 1000 if wished is not None else gpu.read("power_default_limit_mw")
        return next((one for one in (enforced, wanted) if is_unread(one)), [enforced, wanted])

    expected = f"{wished} W" if wished is not None else "the card's default"
    remedy = (
        "Say power_limit_w in expect, or let the role gpufleet.inference.nvidia_driver set it; look at the rack's cap."
    )
    source = "nvmlDeviceGetEnforcedPowerLimit"
    return _good(per_gpu(node, read, judge, expected, remedy, source), expected)


def clocks(node: Node) -> Judged:
    """Judged only where a card works and nothing lawful slows it: an idle card rests."""
    share, locked = node.profile.threshold("clock_share"), node.profile.locked_clock_mhz

    def free(gpu: Gpu) -> bool:
        reasons = gpu.number("clock_event_reasons")
        return reasons is not None and not int(reasons) & (
            _IDLE | _POWER_CAP | _SW_THERMAL | _HW_THERMAL | _POWER_BRAKE
        )

    working = [gpu for gpu in node.gpus if free(gpu)]
    if node.gpus and not working:
        return Skip("no GPU works at full power now")

    def judge(mhz: t.Any, gpu: Gpu) -> Bad | None:
        if gpu not in working:
            return None
        target = locked if locked is not None else gpu.number("max_clock_sm_mhz")
        if target is None:
            return Bad(NOT_VERIFIED, f"{mhz} MHz; the highest clock could not be read")
        return None if mhz >= share * target else Bad(WARN, f"{mhz} of {target:.0f} MHz")

    remedy = "Release locked clocks with nvidia-smi --reset-gpu-clocks, or say locked_clock_mhz in expect."
    expected = f"at least {share:.0%} of {locked or 'the highest'}"
    judged = per_gpu(node, lambda gpu: gpu.read("clock_sm_mhz"), judge, expected, remedy, "nvmlDeviceGetClockInfo")
    return _good(judged, "as high as under load")


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
        if gpu.number("performance_state") == 0 and not int(gpu.number("clock_event_reasons") or 0) & _IDLE:
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
    return _good(judged, "the card's best")


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

    remedy = "The PCIe link is bad: reseat the card, look at riser and cables."
    source = "nvmlDeviceGetPcieReplayCounter"
    return _good(per_gpu(node, lambda gpu: gpu.read("pcie_replays"), judge, "few", remedy, source), "few")


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

    remedy = "The PCIe link is bad: reseat the card, look at riser and cables."
    source = "/sys/bus/pci/devices/*/aer_dev_*, NVML fields 173, 179, 180"
    judged = per_gpu(node, read, judge, "none", remedy, source, lambda gpu: not gpu.has_ecc_tables)
    return _good(judged, f"none that count, at most {many:.0f} corrected")


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "persistence mode": persistence,
    "slowed down now": throttled_now,
    "slowed down before": throttled_before,
    "temperature margin": temperature_margin,
    "memory temperature": memory_temperature,
    "power limit": power_limit,
    "clocks under load": clocks,
    "PCIe link": pcie_link,
    "PCIe replays": pcie_replays,
    "PCIe errors": pcie_errors,
}
