# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _kernel_log
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host

XID = "NVRM: Xid (PCI:0000:1b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."


def entry(message: t.Any, at: float = 100.0, **more: str) -> str:
    stamp = str(int(at * 1e6))
    return json.dumps({"__MONOTONIC_TIMESTAMP": "7", "_SOURCE_MONOTONIC_TIMESTAMP": stamp, "MESSAGE": message, **more})


def host(root: pathlib.Path, outcome: Outcome) -> Host:
    return Host(root=str(root), run=lambda argv, timeout_seconds: outcome)


SILENT = Outcome(0, "", "", "")
NO_JOURNAL = Outcome(None, "", "", "journalctl is not installed")
KMSG = (
    f"6,0,0,-;Linux version 6.8\n4,1,100500000,-;{XID}\n SUBSYSTEM=pci\n6,2,100600000,-,caller=T1;usb 1-1: new device\n"
)


@pytest.mark.parametrize(
    ("text", "concerns"),
    [
        (XID, True),
        ("NVRM: The NVIDIA GPU 0000:1b:00.0 (PCI ID: 10de:2329) fallen off the bus and is not responding.", True),
        ("nvidia-nvswitch0: SXid (PCI:0000:07:00.0): 20034, Fatal, Link 30 LTSSM Fault Up", True),
        ("pcieport 0000:10:01.0: AER: Uncorrectable (Fatal) error message received", True),
        ("nvidia: Loading of unsigned module is rejected", True),
        ("nouveau 0000:1b:00.0: unknown chipset (180000a1)", True),
        ("usb 1-1: new high-speed device", False),
    ],
)
def test_of_gpus(text: str, concerns: bool) -> None:
    assert _kernel_log.of_gpus(text) is concerns


def test_the_journal_comes_first(tmp_path: pathlib.Path) -> None:
    said = Outcome(0, "\n".join([entry("Linux version", 0), entry("usb"), entry(XID, 100.5)]), "", "")
    assert _kernel_log.read_kernel_log(host(tmp_path, said), 1000.0) == {
        "source": "journal",
        "problem": "",
        "complete": True,
        "dropped": 0,
        "lines": [{"time": 1100.5, "uptime_seconds": 100.5, "text": XID}],
    }


def test_a_journal_without_the_beginning_is_not_complete(tmp_path: pathlib.Path) -> None:
    said = Outcome(0, entry("usb 1-1", 4000), "", "")
    log = _kernel_log.read_kernel_log(host(tmp_path, said), 0)
    assert (log["source"], log["complete"], log["lines"]) == ("journal", False, [])


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (SILENT, "the journal holds no line of this boot"),
        (NO_JOURNAL, "journalctl is not installed"),
        (Outcome(None, "", "", "journalctl did not answer within 15 s"), "journalctl did not answer within 15 s"),
    ],
)
def test_then_kmsg(tmp_path: pathlib.Path, outcome: Outcome, problem: str) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kmsg").write_text(KMSG)
    log = _kernel_log.read_kernel_log(host(tmp_path, outcome), 1000.0)
    assert log["lines"] == [{"time": 1100.5, "uptime_seconds": 100.5, "text": XID}]
    assert (log["source"], log["problem"], log["complete"]) == ("kmsg", problem, True)


def test_neither_is_no_source(tmp_path: pathlib.Path) -> None:
    log = _kernel_log.read_kernel_log(host(tmp_path, NO_JOURNAL), 0)
    assert (log["source"], log["complete"]) == ("", False)
    assert log["problem"] == f"journalctl is not installed; {tmp_path}/dev/kmsg: No such file or directory"
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kmsg").write_text("")
    assert "/dev/kmsg is empty" in _kernel_log.read_kernel_log(host(tmp_path, SILENT), 0)["problem"]


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (entry(list(XID.encode() + b"\xff")), [(100.0, XID + "�")]),
        (entry(None), []),
        (entry("other"), []),
        (entry(XID)[:-5], []),
        ('{"__MONOTONIC_TIMESTAMP": "2000000", "MESSAGE": "NVRM: loading"}', [(2.0, "NVRM: loading")]),
    ],
)
def test_parse_journal(raw: str, lines: list[t.Any]) -> None:
    found, beginning = _kernel_log.parse_journal(f"{entry('Linux version', 0)}\n{raw}", _kernel_log.of_gpus)
    assert (found, beginning) == (lines, 0.0)


@pytest.mark.parametrize(
    ("records", "parsed"),
    [
        (KMSG, ([(0.0, "Linux version 6.8"), (100.5, XID), (100.6, "usb 1-1: new device")], True)),
        ("6,900,5000000,-;late\n", ([(5.0, "late")], False)),
        ("", ([], False)),
    ],
)
def test_parse_kmsg(records: str, parsed: t.Any) -> None:
    assert _kernel_log.parse_kmsg(records) == parsed


def test_a_flood_of_one_kind_leaves_the_others() -> None:
    flood = [(float(at), f"NVRM: Xid (PCI:0000:1b:00): 13, pid={at}, name=python3, Graphics") for at in range(1000)]
    other = (500.5, XID)
    kept, dropped = _kernel_log.fold(sorted([*flood, other]))
    assert kept == [*flood[:10], other, *flood[990:]]
    assert dropped == 980


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("NVRM: Xid (PCI:0000:1b:00): 31, pid=1", "NVRM: Xid (PCI:0000:1b:00): 31, pid=2", True),
        ("NVRM: Xid (PCI:0000:1b:00): 31, pid=1", "NVRM: Xid (PCI:0000:1b:00): 32, pid=1", False),
        ("NVRM: Xid (PCI:0000:1b:00): 31, pid=1", "NVRM: Xid (PCI:0000:43:00): 31, pid=1", False),
        (
            "nvidia-nvswitch0: SXid (PCI:0000:07:00.0): 20034, Fatal",
            "nvidia-nvswitch0: SXid (PCI:0000:07:00.0): 1, x",
            False,
        ),
        ("pcieport 0000:10:01.0: AER: error 0x1f", "pcieport 0000:10:01.0: AER: error 0x2f", True),
    ],
)
def test_kinds_of_lines(one: str, other: str, same: bool) -> None:
    _kept, dropped = _kernel_log.fold([(0.0, one)] * 20 + [(1.0, other)])
    assert dropped == int(same)


class Ring:
    """A /dev/kmsg: one record for each read, one of them overwritten, then nothing more for now."""

    def __init__(self) -> None:
        self.answers: list[t.Any] = [
            b"6,1,1000000,-;NVRM: a\n",
            BrokenPipeError(),
            b"6,9,2000000,-;NVRM: b\n",
            BlockingIOError(),
        ]

    def read(self, handle: int, size: int) -> bytes:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return bytes(answer)


def test_kmsg_is_read_without_waiting(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kmsg"
    path.write_text("")
    monkeypatch.setattr(os, "read", Ring().read)
    records, problem = _kernel_log.read_kmsg(str(path))
    assert (records, problem) == ("6,1,1000000,-;NVRM: a\n6,9,2000000,-;NVRM: b\n", "")


def test_kmsg_may_refuse_to_be_read(tmp_path: pathlib.Path) -> None:
    assert _kernel_log.read_kmsg(str(tmp_path)) == ("", f"{tmp_path}: Is a directory")


def test_the_real_kernel_log_is_read() -> None:
    log = _kernel_log.read_kernel_log(Host(), 0.0)
    assert log["source"] in ("journal", "kmsg") or log["problem"]
