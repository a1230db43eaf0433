# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measurements of a burn-in that are judged by a rule and not by a table, and those that have no value.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _nccl_transport

Check = dict[str, t.Any]
Measurement = t.Mapping[str, t.Any]

#: °C between the hottest look and the temperature at which the card slows down (gpud warns at 5).
LEAST_MARGIN = 5.0

#: °C between the hottest and the coolest card of a node: an acceptance of 2026-05 (d-robotics) asked for 5 and refused nodes
#: with 8 to 12.
MOST_SPREAD = 8.0

#: Reasons of NVML that the hardware gives, against one that the driver gives in time.
HARDWARE = ("hw_slowdown", "hw_thermal", "hw_power_brake")

COOLING = "Look at fans, air flow, inlet temperature and coolant of this node, and at the seat of the heat sink."
POWER = "Look at power supplies and cables of this node, and at its cooling; compare with its neighbours under the same load."


def check(name: str, verdict: str, observed: str, expected: str | None, remedy: str, source: str) -> Check:
    """Return a check in the form of module_utils/_verdict.py, without a remedy when it passed."""
    return {
        "name": name,
        "verdict": verdict,
        "observed": observed,
        "expected": expected,
        "remedy": "" if verdict == "pass" else remedy,
        "source": source,
    }


def title(one: Measurement) -> str:
    """Return what was measured where on the node: ``GEMM bf16 8192, gpu 0``."""
    return f"{kinds.label(one)}, {one['subject']}" if one.get("subject") else kinds.label(one)


def without_value(one: Measurement) -> Check:
    """Return the check of a measurement that did not come about: a card or driver that failed in it fails."""
    said = one.get("parameters") or {}
    problem = one.get("problem") or "no value, and no reason"
    if said.get("fault"):
        remedy = "Look at the kernel's log of that minute (Xid) and at gpu_health; reset the GPU or reboot the node, then repeat."
        if one["kind"] == "nccl_all_reduce":
            remedy = f"Look at the pairs of this run and at rdma_health of these nodes. {remedy}"
        return check(title(one), "fail", problem, None, remedy, str(one.get("tool") or "burn-in"))
    remedy = "Mend what the reason names and repeat the burn-in."
    return check(title(one), "not_verified", problem, None, remedy, str(one.get("tool") or "burn-in"))


def _temperature(one: Measurement) -> Check:
    said, name = one.get("parameters") or {}, title(one)
    value, source = kinds.value(one) or 0.0, str(one.get("tool") or "NVML")
    if said.get("statistic") == "spread":
        verdict = "pass" if value <= MOST_SPREAD else "warn"
        return check(name, verdict, f"{value:g} °C", f"at most {MOST_SPREAD:g} °C between cards", COOLING, source)
    margin = said.get("margin")
    if margin is None:
        remedy = "Use an image with nvidia-ml-py (module pynvml), which tells the limit."
        return check(name, "not_verified", f"{value:g} °C; its limit is not known", None, remedy, source)
    verdict = "pass" if margin > LEAST_MARGIN else "warn"
    return check(
        *(name, verdict, f"{value:g} °C, {margin:g} °C below the limit"),
        *(f"more than {LEAST_MARGIN:g} °C below the limit", COOLING, source),
    )


def _throttle(one: Measurement) -> Check:
    reasons = (one.get("parameters") or {}).get("reasons") or {}
    hard = [f"{name} {reasons[name]:.0%} of the time" for name in HARDWARE if reasons.get(name)]
    soft = [f"sw_thermal {reasons['sw_thermal']:.0%} of the time"] if reasons.get("sw_thermal") else []
    told = ", ".join(hard + soft) or "never for heat or power supply"
    verdict = "fail" if hard else "warn" if soft else "pass"
    expected = "no slowing for heat or power supply; the power limit itself is as it should be"
    return check(title(one), verdict, told, expected, POWER if hard else COOLING, str(one.get("tool") or "NVML"))


def _wrong(one: Measurement) -> Check:
    said = one.get("parameters") or {}
    value = kinds.value(one) or 0.0
    odd = [str(name) for name in said.get("odd") or ()]
    what = str(said.get("of") or "results")
    observed = f"{value:.0f} in {what}" + (f": {', '.join(odd)}" if odd else "")
    remedy = "This card computes or transfers wrongly without an error: take it out of service now, run dcgmi diag -r 3, and return it."
    verdict = "fail" if value else "pass"
    return check(f"{title(one)}: {what}", verdict, observed, "none", remedy, str(one.get("tool") or "burn-in"))


def _transport(one: Measurement) -> Check:
    return _nccl_transport.judge(dict(one))


RULES: dict[str, t.Callable[[Measurement], Check]] = {
    "temperature": _temperature,
    "clock_throttle": _throttle,
    "wrong_result": _wrong,
    "nccl_transport": _transport,
}
