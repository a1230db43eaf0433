# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of how the cards run: persistence, throttling, temperature, power, clocks.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    HOPPER,
    IDLE,
    Bad,
    Gpu,
    Judged,
    Node,
    Skip,
    good,
    per_gpu,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import is_unread
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, WARN, worst

#: nvml.h: bits of nvmlDeviceGetCurrentClocksEventReasons.
_POWER_CAP, _HW_SLOWDOWN, _SW_THERMAL, _HW_THERMAL, _POWER_BRAKE = 0x4, 0x8, 0x20, 0x40, 0x80
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

_COOLING = "Look at fans, air flow, inlet temperature and coolant of this node."


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
    return good(per_gpu(node, lambda gpu: gpu.read("persistence_mode"), judge, expected, remedy, source), expected)


def throttled_now(node: Node) -> Judged:
    def judge(reasons: t.Any, gpu: Gpu) -> Bad | None:
        found = [(verdict, name) for bit, verdict, name in _SLOWED if int(reasons) & bit]
        if not found:
            return None
        return Bad(worst(verdict for verdict, name in found), ", ".join(name for verdict, name in found))

    remedy = f"{_COOLING} A power brake comes from the power supplies or the rack."
    source = "nvmlDeviceGetCurrentClocksEventReasons"
    return good(
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
    return good(judged, expected)


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
    return good(judged, "enough")


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
    return good(judged, f"below {limit:.0f} °C")


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
    return good(per_gpu(node, read, judge, expected, remedy, source), expected)


def clocks(node: Node) -> Judged:
    """Judged only where a card works and nothing lawful slows it: an idle card rests."""
    share, locked = node.profile.threshold("clock_share"), node.profile.locked_clock_mhz

    def free(gpu: Gpu) -> bool:
        reasons = gpu.number("clock_event_reasons")
        return reasons is not None and not int(reasons) & (IDLE | _POWER_CAP | _SW_THERMAL | _HW_THERMAL | _POWER_BRAKE)

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
    return good(judged, "as high as under load")


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "persistence mode": persistence,
    "slowed down now": throttled_now,
    "slowed down before": throttled_before,
    "temperature margin": temperature_margin,
    "memory temperature": memory_temperature,
    "power limit": power_limit,
    "clocks under load": clocks,
}
