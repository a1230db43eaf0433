# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of NVLink and of the fabric as the GPUs see it: links, their speed and errors, peers, registration, health.

The fabric state is what a GPU was told when it registered: it stays ``completed`` when Fabric Manager dies later, and
it is ``completed`` in a guest whose host runs Fabric Manager. So these statements and those of ``_gpu_judge_manager``
are both needed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_card import Card
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import RESET, RESTART_FABRIC
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    LOOK_AGAIN,
    SEE_NVML,
    Bad,
    Finding,
    Gpu,
    Judged,
    Node,
    Skip,
    good,
    per_gpu,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import is_unread
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS, WARN

#: Fabrics whose GPUs register with a manager, and architectures whose driver tells of it (nvml.h: from Hopper on).
SWITCHED = ("nvswitch", "nvswitch5", "rack")
_TELLING = ("hopper", "blackwell")

_STATES = {0: "not supported", 1: "not started", 2: "in progress", 3: "completed"}
_COMPLETED = 3
_SUMMARIES = {0: "not supported", 1: "healthy", 2: "unhealthy", 3: "limited capacity"}
#: Two-bit fields of the health mask: shift, name, verdict when true (1). 0 is not supported, 2 is false.
_HEALTH_BITS: tuple[tuple[int, str, str], ...] = (
    (0, "degraded bandwidth", WARN),
    (2, "route recovery in progress", WARN),
    (4, "route unhealthy", FAIL),
    (6, "access timeout recovery", FAIL),
)
#: Four bits from 8: incorrect configuration; 0 is not supported, 1 is none.
_CONFIGURATIONS = {
    2: "wrong system GUID",
    3: "wrong chassis serial number",
    4: "no partition",
    5: "too few NVLinks",
    6: "incompatible GPU firmware",
    7: "invalid location",
    8: "invalid GPU state",
}
#: Two bits from 14: the global fabric manager; 1 is connected.
_DISCONNECTED = 2

#: Counted per link on NVLink 5 before correction, where a healthy link has many: the driver judges them as BER.
_NOT_FAULTS = ("symbol", "effective")

_FABRIC_REMEDY = "If it stays so, look into Fabric Manager's log on the machine that runs it."


def _no_links(node: Node) -> str:
    """Return why this node has no NVLinks to judge, or ""."""
    if node.fabrics == {"none"} and all(node.cards):
        return "these cards have no NVLink"
    if node.profile.nvlinks == 0:
        return "expect.nvlinks is 0"
    return ""


def _active(links: t.Any) -> list[t.Any]:
    return [link for link in links if link.get("state") == 1]


def _names(links: t.Iterable[t.Any]) -> str:
    """Return link numbers, runs of them together: ``0-17`` or ``3, 7``."""
    runs: list[list[int]] = []
    for link in sorted(int(one) for one in links):
        if runs and runs[-1][-1] == link - 1:
            runs[-1].append(link)
        else:
            runs.append([link])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def links_up(node: Node) -> Judged:
    why = _no_links(node)
    if why:
        return Skip(why)

    def judge(links: t.Any, gpu: Gpu) -> Bad | None:
        unknown = [link["link"] for link in links if is_unread(link.get("state"))]
        wanted = node.profile.nvlinks
        active = len(_active(links))
        if wanted is None and gpu.card and gpu.card.fabric == "bridge" and not active and not unknown:
            return Bad(NOT_VERIFIED, "no link is up; bridges may be missing: set nvlinks in expect")
        if wanted is None:
            wanted = gpu.card.nvlinks if gpu.card else None
        if unknown:
            return Bad(NOT_VERIFIED, f"links {_names(unknown)} could not be read")
        if wanted is None:
            return Bad(NOT_VERIFIED, f"{active}; the catalogue does not say how many")
        return None if active >= wanted else Bad(FAIL, f"{active} of {wanted}", RESET)

    remedy = f"Look for Xid 74 and 136. {_FABRIC_REMEDY}"
    judged = per_gpu(node, lambda gpu: gpu.read("nvlinks"), judge, None, remedy, "nvmlDeviceGetNvLinkState")
    if isinstance(judged, Finding) and judged.verdict == PASS:
        counts = sorted({len(_active(gpu.read("nvlinks"))) for gpu in node.gpus})
        return Finding(PASS, ", ".join(str(count) for count in counts), source=judged.source)
    return judged


def link_speed(node: Node) -> Judged:
    why = _no_links(node)
    if why:
        return Skip(why)

    def judge(links: t.Any, gpu: Gpu) -> Bad | None:
        wanted = gpu.card.nvlink_mb_s if gpu.card else None
        speeds = {link["link"]: link.get("speed_mb_s") for link in _active(links)}
        unknown = [link for link, speed in speeds.items() if speed is None or is_unread(speed)]
        if unknown:
            return Bad(NOT_VERIFIED, f"links {_names(unknown)} could not be read")
        if wanted is None:
            return Bad(NOT_VERIFIED, "the catalogue does not say how fast")
        slow = {link: speed for link, speed in speeds.items() if speed < 0.99 * wanted}
        if not slow:
            return None
        return Bad(FAIL, f"links {_names(slow)} at {min(slow.values())} of {wanted} MB/s", RESET)

    judged = per_gpu(node, lambda gpu: gpu.read("nvlinks"), judge, None, _FABRIC_REMEDY, "NVML field 164 per link")
    if isinstance(judged, Finding) and judged.verdict == PASS:
        speeds = {link["speed_mb_s"] for gpu in node.gpus for link in _active(gpu.read("nvlinks"))}
        observed = ", ".join(f"{speed} MB/s" for speed in sorted(speeds)) or "no link is up"
        return Finding(PASS if speeds else NOT_VERIFIED, observed, None, "See `NVLinks up`.", judged.source)
    return judged


def link_errors(node: Node) -> Judged:
    why = _no_links(node)
    if why:
        return Skip(why)
    limit = node.profile.threshold("nvlink_errors")

    def judge(links: t.Any, gpu: Gpu) -> Bad | None:
        worse: dict[str, list[int]] = {}
        unread: list[int] = []
        for link in _active(links):
            errors = link.get("errors")
            counters = {} if errors is None or is_unread(errors) else dict(errors)
            known = {name: count for name, count in counters.items() if not is_unread(count)}
            if not known:
                unread.append(link["link"])
            for name, count in known.items():
                if name not in _NOT_FAULTS and count > limit:
                    worse.setdefault(f"{count} {name}", []).append(link["link"])
        if worse:
            return Bad(WARN, "; ".join(f"{what} on link {_names(links)}" for what, links in worse.items()))
        return Bad(NOT_VERIFIED, f"links {_names(unread)} could not be read") if unread else None

    remedy = "Errors on a link cost bandwidth and may end in Xid 74: watch whether they grow; reseat or replace."
    source = "NVML fields 161 to 163 and 206 to 214 per link"
    expected = f"at most {limit:.0f} on a link"
    judged = per_gpu(node, lambda gpu: gpu.read("nvlinks"), judge, expected, remedy, source)
    return good(judged, expected)


def peers(node: Node) -> Judged:
    """Only the NVLink index counts: in guests the PCI index is refused although all is well."""
    why = _no_links(node)
    if why:
        return Skip(why)
    if node.cards and node.fabrics <= {"bridge", "none"} and all(node.cards):
        return Skip("bridges join pairs, not all")
    if len(node.gpus) < 2:
        if node.gpus:
            return Skip("there are no two GPUs")
        return Finding(NOT_VERIFIED, "no GPU could be opened", "NVLink between all pairs", SEE_NVML)
    pairs, source = node.nvml["pairs"], "nvmlDeviceGetP2PStatus, index 2"
    expected = "NVLink between all pairs"
    wanted = len(node.gpus) * (len(node.gpus) - 1) // 2
    cut = {f"{one['a']}-{one['b']}": one["nvlink"] for one in pairs if not is_unread(one["nvlink"]) and one["nvlink"]}
    blind = [f"{one['a']}-{one['b']}" for one in pairs if is_unread(one["nvlink"])]
    if cut:
        statuses = {pair: f"status {status}" for pair, status in cut.items()}
        sick = tuple(sorted({int(end) for pair in cut for end in pair.split("-")}))
        remedy = f"CUDA says error 802 or copies over PCIe. {_FABRIC_REMEDY}"
        return Finding(FAIL, statuses, expected, remedy, source, RESTART_FABRIC, sick)
    if blind or len(pairs) < wanted:
        observed = f"{', '.join(blind) or wanted - len(pairs)} could not be read"
        return Finding(NOT_VERIFIED, observed, expected, LOOK_AGAIN, source)
    return Finding(PASS, f"{len(pairs)} pairs", expected, source=source)


def _tells_of_fabric(card: Card | None) -> bool:
    """Tell whether this card registers with a fabric, as far as is known: an unknown card may."""
    return card is None or (card.fabric in SWITCHED and card.architecture in _TELLING)


def _no_fabric(node: Node) -> str:
    if node.cards and not any(_tells_of_fabric(card) for card in node.cards):
        return "these cards register with no fabric"
    if node.profile.nvlinks == 0:
        return "expect.nvlinks is 0"
    return "expect.nvswitches is 0" if node.profile.nvswitches == 0 and "rack" not in node.fabrics else ""


def fabric_state(node: Node) -> Judged:
    """Not supported on a card that should be switched is not a pass: nobody knows whether it is."""
    why = _no_fabric(node)
    if why:
        return Skip(why)

    def read(gpu: Gpu) -> t.Any:
        both = [gpu.read("fabric", "state"), gpu.read("fabric", "status")]
        return next((one for one in both if is_unread(one)), both)

    def judge(values: t.Any, gpu: Gpu) -> Bad | None:
        state, status = values
        text = f"{_STATES.get(state, f'state {state}')}, status {status}"
        if state == 0:
            return Bad(NOT_VERIFIED, f"{text}; a guest with one card may have no NVLink: then set nvlinks: 0 in expect")
        return None if state == _COMPLETED and status == 0 else Bad(FAIL, text, RESTART_FABRIC)

    source, expected = "nvmlDeviceGetGpuFabricInfoV", "completed, status 0"
    judged = per_gpu(node, read, judge, expected, _FABRIC_REMEDY, source)
    return good(judged, expected)


def fabric_health(node: Node) -> Judged:
    """``not supported`` (0) is what a healthy H200 says with driver 580: only what is said to be bad is bad."""
    why = _no_fabric(node)
    if why:
        return Skip(why)

    def read(gpu: Gpu) -> t.Any:
        both = [gpu.read("fabric", "health_summary"), gpu.read("fabric", "health_mask")]
        # Before 580 there is a mask and no summary.
        return both[1] if is_unread(both[1]) else [None if is_unread(both[0]) else both[0], both[1]]

    def judge(values: t.Any, gpu: Gpu) -> Bad | None:
        summary, mask = values
        found = [(verdict, name) for shift, name, verdict in _HEALTH_BITS if mask >> shift & 0b11 == 1]
        configuration = mask >> 8 & 0b1111
        if configuration > 1:
            found.append((FAIL, _CONFIGURATIONS.get(configuration, f"incorrect configuration {configuration}")))
        if mask >> 14 & 0b11 == _DISCONNECTED:
            found.append((WARN, "global fabric manager disconnected"))
        if summary == 2 or (summary or 0) not in _SUMMARIES:
            found.insert(0, (FAIL, _SUMMARIES.get(summary, f"summary {summary}")))
        elif summary == 3:
            found.insert(0, (WARN, _SUMMARIES[3]))
        if not found:
            return None
        failed = any(verdict == FAIL for verdict, name in found)
        return Bad(
            FAIL if failed else WARN, ", ".join(name for verdict, name in found), RESTART_FABRIC if failed else "none"
        )

    source, expected = "nvmlDeviceGetGpuFabricInfoV", "nothing said to be bad"
    judged = per_gpu(node, read, judge, expected, _FABRIC_REMEDY, source)
    return good(judged, expected)


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "NVLinks up": links_up,
    "NVLink speed": link_speed,
    "NVLink errors": link_errors,
    "peers over NVLink": peers,
    "fabric state": fabric_state,
    "fabric health": fabric_health,
}
