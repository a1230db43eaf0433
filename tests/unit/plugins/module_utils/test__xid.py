# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import strongest
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import VERDICTS
from ansible_collections.gpufleet.inference.plugins.module_utils._xid import (
    events,
    judge_event,
    judge_events,
    shared_address,
)


def found(*texts: str, times: t.Sequence[float | None] = ()) -> list[tuple[str, int, str]]:
    lines = [{"time": times[at] if times else float(at), "text": text} for at, text in enumerate(texts)]
    return [(one["kind"], one["number"], one["pci"]) for one in events(lines)]


GONE = "GPU has fallen off the bus."


@pytest.mark.parametrize(
    ("text", "event"),
    [
        (f"NVRM: Xid (PCI:0000:05:00): 79, pid='<unknown>', name=<unknown>, {GONE}", ("xid", 79, "0000:05:00")),
        ("[111.1] NVRM: Xid (0000:03:00): 14, Channel 00000001", ("xid", 14, "0000:03:00")),
        ("NVRM: Xid (PCI:0008:01:00): 145, pid=9, name=ray::W, RLW_REMAP Nonfatal XC0", ("xid", 145, "0008:01:00")),
        (f"NVRM: GPU 0000:29:00.0: {GONE}", ("xid", 79, "0000:29:00")),
        (f"NVRM: GPU 18:00.0: {GONE}", ("xid", 79, "0000:18:00")),
        ("NVRM: GPU 0000:29:00.0: RmInitAdapter failed! (0x22:0x56:884)", ("xid", 143, "0000:29:00")),
        ("nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Non-fatal, Link 46", ("sxid", 28006, "0000:c1:00")),
        ("nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 46", ("sxid", 20034, "0000:c1:00")),
    ],
)
def test_lines(text: str, event: tuple[str, int, str]) -> None:
    assert found(text) == [event]


@pytest.mark.parametrize(
    "text",
    [
        "Regular log content",
        "NVRM: Xid error: xyz, invalid data",
        "NVRM: Xid (invalid): some error",
        "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Severity 0 Engine instance 46",
        "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Data {0x00000400}",
        "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.159.04",
    ],
)
def test_lines_without_an_event(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("joined", [True, False])
def test_off_the_bus_over_three_lines(joined: bool) -> None:
    texts = [
        "NVRM: The NVIDIA GPU 0000:18:00.0",
        "NVRM: (PCI ID: 10de:2901) installed in this system has",
        "NVRM: fallen off the bus and is not responding to commands.",
    ]
    assert found(*(["\n".join(texts)] if joined else texts)) == [("xid", 79, "0000:18:00")]


def test_the_same_fall_counts_once() -> None:
    texts = (f"NVRM: Xid (PCI:0000:29:00): 79, {GONE}", f"NVRM: GPU 0000:29:00.0: {GONE}")
    assert len(found(*texts, times=[5.1, 5.3])) == 1
    assert len(found(*texts, times=[5.1, 65.3])) == 2


@pytest.mark.parametrize("pci", ["0000:9b:00", "00000000:9B:00.0", "9b:00.0", "9B:00"])
def test_addresses(pci: str) -> None:
    assert shared_address(pci) == "0000:9b:00"


def judged(*texts: str, verdicts: t.Mapping[int, str] | None = None) -> tuple[str, str]:
    lines = [{"time": float(at), "text": text} for at, text in enumerate(texts)]
    together = judge_events(events(lines), verdicts or {})
    assert len(together) == 1
    meaning = next(iter(together.values()))
    return meaning.verdict, meaning.action


def xid(number: int, text: str = "") -> str:
    return f"NVRM: Xid (PCI:0000:05:00): {number}, {text}"


TO_NONE = xid(154, "GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)")
TO_RESET = xid(154, "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)")
TO_REBOOT = xid(154, "GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)")


@pytest.mark.parametrize(
    ("texts", "verdict", "action"),
    [
        ([xid(13)], "pass", "none"),
        ([xid(63)], "warn", "reset"),
        ([xid(64)], "fail", "replace"),
        ([xid(4711)], "warn", "none"),
        ([xid(149, "NETIR_LINK_EVT  Fatal   XC0")], "fail", "reset"),
        ([xid(149, "NETIR_BER_EVENT Nonfatal XC0")], "warn", "reset"),
        ([TO_RESET], "fail", "reset"),
        ([TO_REBOOT], "fail", "reboot"),
        ([xid(154, "something that nobody knows")], "fail", "drain"),
        ([TO_REBOOT, TO_RESET], "fail", "reset"),
        ([xid(95), TO_RESET, TO_NONE], "warn", "none"),
        ([TO_NONE, xid(95)], "fail", "reset"),
        ([xid(79), TO_NONE], "fail", "reboot"),
        ([xid(64), TO_NONE], "fail", "replace"),
        ([xid(13), xid(79), xid(48)], "fail", "reboot"),
    ],
)
def test_what_events_mean_together(texts: list[str], verdict: str, action: str) -> None:
    assert judged(*texts) == (verdict, action)


def test_the_profile_overrides_the_catalogue() -> None:
    assert judged(xid(94), verdicts={94: "fail"})[0] == "fail"
    assert judged(xid(79), verdicts={79: "pass"}) == ("pass", "none")


NUMBERS = (13, 48, 63, 64, 79, 94, 95, 4711)


@pytest.mark.parametrize(("one", "other"), list(itertools.product(NUMBERS, NUMBERS)))
def test_together_is_never_better_than_alone(one: int, other: int) -> None:
    verdict, action = judged(xid(one), xid(other))
    for number in (one, other):
        alone = judged(xid(number))
        assert VERDICTS.index(verdict) >= VERDICTS.index(alone[0])
        assert strongest([action, alone[1]]) == action


def test_repetitions_are_counted() -> None:
    lines = [{"time": None, "text": xid(31)} for _again in range(3)]
    assert judge_events(events(lines), {})["0000:05:00"].text == "Xid 31 memory page fault of an application (3 times)"


def test_severe_sxids() -> None:
    line = {"time": 1.0, "text": "nvidia-nvswitch0: SXid (PCI:0000:07:00.0): 12028, Non-fatal, Link 32"}
    assert judge_event(events([line])[0], {}).verdict == "fail"
