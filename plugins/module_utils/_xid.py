# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find Xids and SXids in lines of the kernel's log, and say what they mean together.

An *event* is plain data: ``{"kind": "xid" | "sxid", "number": 79, "pci": "0000:9b:00", "time": 1790000000.0 | None,
"text": "the line", "fatal": False}``. ``pci`` is the part that all spellings share: domain, bus, device.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import (
    NONE,
    REBOOT,
    RESET,
    recovery_action,
    stronger,
    strongest,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, PASS, WARN, worst
from ansible_collections.gpufleet.inference.plugins.module_utils._xid_catalog import (
    FATAL_SXIDS,
    NVLINK5_XIDS,
    RECOVERY_XID,
    SEVERE_SXIDS,
    XIDS,
    Xid,
)

Event = dict[str, t.Any]

_PCI = r"(?:PCI:)?((?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2})(?:\.[0-7])?"
_XID = re.compile(rf"NVRM: Xid \({_PCI}\).*?: (\d+),")
_SXID = re.compile(rf"nvidia-nvswitch\d+: SXid \({_PCI}\): (\d+), (Fatal|Non-fatal)")
#: What the driver says without the word Xid, and the Xid that it amounts to.
_WITHOUT_NUMBER: tuple[tuple[t.Pattern[str], int], ...] = (
    (re.compile(rf"NVRM:\s+GPU {_PCI}: GPU has fallen off the bus"), 79),
    (re.compile(rf"NVRM:\s+GPU {_PCI}: RmInitAdapter failed"), 143),
)
#: The form over several lines: the first names the GPU, a later one says what happened.
_SUBJECT = re.compile(rf"NVRM: The NVIDIA GPU {_PCI}")
_FALLEN = re.compile(r"NVRM:.*fallen off the bus and is not responding to commands")
_FALLEN_XID = 79
_FATAL = re.compile(r"\bFatal\b")

UNKNOWN_PCI = "unknown"


def shared_address(pci: str) -> str:
    """Return domain:bus:device in sysfs's form: ``00000000:9B:00.0`` and ``9b:00`` become ``0000:9b:00``."""
    parts = pci.lower().partition(".")[0].split(":")
    return ":".join([f"{int(parts[0], 16):04x}" if len(parts) > 2 else "0000", *parts[-2:]])


def events(lines: t.Iterable[t.Mapping[str, t.Any]]) -> list[Event]:
    """Return the events of ``[{"time": seconds or None, "text": …}]``, in their order.

    The driver repeats an off-the-bus fault with and without a number: one GPU has one event of Xid 79 per second.
    """
    found: list[Event] = []
    subject = UNKNOWN_PCI
    for line in lines:
        # A line of the journal may hold several of the kernel's.
        for text in str(line["text"]).splitlines():
            named = _SUBJECT.search(text)
            subject = shared_address(named[1]) if named else subject
            event = _event(text, subject)
            if event:
                event["time"] = line["time"]
                if not _repeated(event, found):
                    found.append(event)
    return found


def _event(text: str, subject: str) -> Event | None:
    switch = _SXID.search(text)
    if switch:
        return {
            "kind": "sxid",
            "number": int(switch[2]),
            "pci": shared_address(switch[1]),
            "text": text,
            "fatal": switch[3] == "Fatal",
        }
    xid = _XID.search(text)
    if xid:
        return _xid(int(xid[2]), xid[1], text)
    for pattern, number in _WITHOUT_NUMBER:
        plain = pattern.search(text)
        if plain:
            return _xid(number, plain[1], text)
    if _FALLEN.search(text):
        return _xid(_FALLEN_XID, subject, text)
    return None


def _xid(number: int, pci: str, text: str) -> Event:
    address = pci if pci == UNKNOWN_PCI else shared_address(pci)
    return {"kind": "xid", "number": number, "pci": address, "text": text, "fatal": bool(_FATAL.search(text))}


def _repeated(event: Event, before: list[Event]) -> bool:
    def second(one: Event) -> int | None:
        return None if one["time"] is None else int(one["time"])

    return event["number"] == _FALLEN_XID and any(
        (one["number"], one["pci"], second(one)) == (_FALLEN_XID, event["pci"], second(event)) for one in before
    )


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What one event, or several together, earn: verdict, action and a short text."""

    verdict: str
    action: str
    text: str


def judge_event(event: Event, verdicts: t.Mapping[int, str]) -> Meaning:
    """Return what one event means. ``verdicts``, of the profile, overrides the catalogue: {Xid: verdict}."""
    number = event["number"]
    if event["kind"] == "sxid":
        return _judge_sxid(event)
    row = XIDS.get(number, Xid(number, "is not in our catalogue", WARN, NONE))
    verdict, action = row.verdict, row.action
    if number in NVLINK5_XIDS and event["fatal"]:
        verdict = FAIL
    elif number == RECOVERY_XID:
        named = recovery_action(event["text"])
        action = row.action if named is None else named
        verdict = PASS if named == NONE else FAIL
    return Meaning(verdicts.get(number, verdict), action, f"Xid {number} {row.meaning}")


def _judge_sxid(event: Event) -> Meaning:
    number = event["number"]
    if number in FATAL_SXIDS or event["fatal"]:
        return Meaning(FAIL, REBOOT, f"SXid {number} fatal")
    if number in SEVERE_SXIDS:
        return Meaning(FAIL, RESET, f"SXid {number} may have killed jobs")
    return Meaning(WARN, NONE, f"SXid {number} not fatal")


def judge_events(found: t.Sequence[Event], verdicts: t.Mapping[int, str]) -> dict[str, Meaning]:
    """Return {pci: what its events mean together}; only of devices that have events.

    Of several Xids 154 of a GPU the last one counts, as each replaces the one before. When that one says ``None``, what
    a reset cures has been cured: earlier events are worth a warning. No other event is weakened by a later one.
    """
    together: dict[str, Meaning] = {}
    for pci in sorted({event["pci"] for event in found}):
        own = [event for event in found if event["pci"] == pci]
        recoveries = [index for index, event in enumerate(own) if event["number"] == RECOVERY_XID]
        last = recoveries[-1] if recoveries else -1
        cured = last >= 0 and recovery_action(own[last]["text"]) == NONE
        kept = [(index, event) for index, event in enumerate(own) if index not in recoveries[:-1]]
        meanings = []
        for index, event in kept:
            meaning = judge_event(event, verdicts)
            if cured and index < last and meaning.verdict == FAIL and not stronger(meaning.action, RESET):
                meaning = Meaning(WARN, NONE, f"{meaning.text}, cured since")
            meanings.append(meaning)
        together[pci] = _merged(meanings)
    return together


def _merged(meanings: t.Sequence[Meaning]) -> Meaning:
    """Return the worst verdict, the strongest action of what is not ``pass``, and the texts, counted, worst first."""
    counts: dict[str, int] = {}
    for verdict in (FAIL, WARN, PASS):
        for meaning in meanings:
            if meaning.verdict == verdict:
                counts[meaning.text] = counts.get(meaning.text, 0) + 1
    texts = [text if count == 1 else f"{text} ({count} times)" for text, count in counts.items()]
    actions = [meaning.action for meaning in meanings if meaning.verdict != PASS]
    return Meaning(worst(meaning.verdict for meaning in meanings), strongest(actions), ", ".join(texts))
