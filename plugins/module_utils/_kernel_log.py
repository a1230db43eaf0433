# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the kernel's log of this boot, and a unit's: the lines that somebody wants, such as those that concern GPUs.

The journal is asked first, then /dev/kmsg, whose ring forgets old lines; when neither answers nobody looked. Result
(``LOG`` in ``_gpu_host``)::

    {"source": "journal" | "kmsg" | "", "problem": "", "complete": True, "dropped": 0,
     "lines": [{"time": Unix seconds, "uptime_seconds": 100.2, "text": "NVRM: Xid (PCI:0000:06:00): 79, …"}]}

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import collections
import json
import os
import re
import time
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host

Log = dict[str, t.Any]
#: (seconds since boot, text)
Line = tuple[float, str]
Wanted = t.Callable[[str], bool]

#: What concerns a GPU node: the driver (NVRM), its modules, NVSwitches, nouveau, PCI errors, refused modules. Plain words,
#: as a long log is searched ten times as fast for them as for one expression.
KERNEL_WORDS = (
    *("NVRM", "nvidia", "nouveau", "nova_core", "AER: ", "PCIe Bus Error"),
    *("odule verification failed", "unsigned module", "Lockdown: modprobe"),
)

#: A kind of line is its text up to the number of the error, or without its numbers.
_ERROR_NUMBER = re.compile(r".*?S?Xid \([^)]*\)[^:]*: \d+")

#: Of every kind the first and the last lines are kept, so that a flood of one never pushes out another.
KEPT_AT_EACH_END = 10

#: The first line of a boot has the time 0; journald may have been late, or its files may have been cut.
BEGINNING_SECONDS = 1.0

#: More than a healthy kernel says in a year; read in two or three seconds.
JOURNAL_LINES, JOURNAL_SECONDS = 100_000, 15.0

#: How journalctl writes a message that is no plain UTF-8.
_MESSAGE_IN_BYTES = re.compile(r'"MESSAGE"\s*:\s*\[')

#: A record of /dev/kmsg is at most 8 KiB; the whole ring is read in some milliseconds unless somebody floods it.
_KMSG_RECORD_BYTES, _KMSG_SECONDS = 16384, 3.0


def _kind(text: str) -> str:
    number = _ERROR_NUMBER.match(text)
    return number[0] if number else re.sub(r"0x[0-9a-fA-F]+|\d+", "#", text)


def fold(lines: t.Iterable[Line], kind_of: t.Callable[[str], str] = _kind) -> tuple[list[Line], int]:
    """Return the lines without the middle of long repetitions, in order, and how many were left out."""
    first: dict[str, list[tuple[int, Line]]] = collections.defaultdict(list)
    last: dict[str, collections.deque[tuple[int, Line]]] = {}
    dropped = 0
    for at, line in enumerate(lines):
        kind = kind_of(line[1])
        if len(first[kind]) < KEPT_AT_EACH_END:
            first[kind].append((at, line))
            continue
        tail = last.setdefault(kind, collections.deque(maxlen=KEPT_AT_EACH_END))
        dropped += len(tail) == KEPT_AT_EACH_END
        tail.append((at, line))
    kept = sorted(one for group in [*first.values(), *last.values()] for one in group)
    return [line for _at, line in kept], dropped


def log(
    source: str,
    lines: t.Iterable[Line],
    booted_at: float,
    complete: bool,
    problem: str = "",
    kind_of: t.Callable[[str], str] = _kind,
) -> Log:
    """Return the result that is documented above. ``kind_of`` tells which lines repeat each other."""
    kept, dropped = fold(lines, kind_of)
    return {
        "source": source,
        "problem": problem,
        "complete": complete,
        "dropped": dropped,
        "lines": [{"time": booted_at + at, "uptime_seconds": at, "text": text} for at, text in kept],
    }


def _message(value: t.Any) -> str:
    """Return MESSAGE as text: journalctl gives what is not plain UTF-8 as a list of bytes, what is too long as null."""
    if isinstance(value, list):
        return bytes(value).decode(errors="replace")
    return str(value or "")


def parse_journal(output: str, wanted: Wanted) -> tuple[list[Line], float | None]:
    """Return (matching lines, seconds since boot of the very first line or None) of journalctl's JSON output."""
    lines: list[Line] = []
    beginning = None
    for raw in output.splitlines():
        # Only few of many lines are decoded; a message in bytes cannot be searched before.
        if beginning is not None and not wanted(raw) and not _MESSAGE_IN_BYTES.search(raw):
            continue
        try:
            entry = json.loads(raw)
        except ValueError:
            continue  # cut off by the end of the output
        stamp = entry.get("_SOURCE_MONOTONIC_TIMESTAMP") or entry.get("__MONOTONIC_TIMESTAMP") or "0"
        at, text = int(stamp) / 1e6, _message(entry.get("MESSAGE"))
        beginning = at if beginning is None else beginning
        if wanted(text):
            lines.append((at, text))
    return lines, beginning


def journal(host: Host, which: t.Sequence[str], wanted: Wanted) -> tuple[list[Line], float | None, str]:
    """Return (matching lines of this boot, time of the first line of all, problem). Silence is a problem too."""
    fields = "--output-fields=MESSAGE,_SOURCE_MONOTONIC_TIMESTAMP"
    most = f"--lines={JOURNAL_LINES}"
    argv = ["journalctl", "--quiet", "--no-pager", "--boot", "--output=json", fields, most, *which]
    asked = host.run(argv, timeout_seconds=JOURNAL_SECONDS)
    lines, beginning = parse_journal(asked.stdout, wanted)
    problem = asked.problem or ("" if beginning is not None else "the journal holds no line of this boot")
    return lines, beginning, " ".join(problem.split())


def parse_kmsg(records: str) -> tuple[list[Line], bool]:
    """Return (all lines, whether the ring still holds the first of this boot). See dev-kmsg in the kernel's ABI."""
    lines: list[Line] = []
    complete = False
    for record in records.split("\n"):
        # priority,sequence,microseconds,flags;text   followed by lines " KEY=value"
        match = re.match(r"\d+,(\d+),(\d+),[^;]*;(.*)", record)
        if match:
            complete = complete or match[1] == "0"
            lines.append((int(match[2]) / 1e6, match[3]))
    return lines, complete


def read_kmsg(path: str) -> tuple[str, str]:
    """Return (records, problem) of /dev/kmsg, without waiting for the next line."""
    found: list[bytes] = []
    deadline = time.monotonic() + _KMSG_SECONDS
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        return "", f"{path}: {error.strerror}"
    try:
        while time.monotonic() < deadline:
            try:
                record = os.read(handle, _KMSG_RECORD_BYTES)
            except BrokenPipeError:
                continue  # overwritten while we read: the next read goes on with the oldest line
            if not record:
                break
            found.append(record)
    except BlockingIOError:
        pass  # the end of the ring
    except OSError as error:
        return "", f"{path}: {error.strerror}"
    finally:
        os.close(handle)
    return b"".join(found).decode(errors="replace"), ""


def of_gpus(text: str) -> bool:
    """Return whether a line of the kernel concerns GPUs."""
    return any(word in text for word in KERNEL_WORDS)


def read_kernel_log(
    host: Host, booted_at: float, wanted: Wanted = of_gpus, kind_of: t.Callable[[str], str] = _kind
) -> Log:
    """Return the lines of this boot's kernel log that are wanted."""
    lines, beginning, problem = journal(host, ["--dmesg"], wanted)
    if beginning is not None and not problem:
        return log("journal", lines, booted_at, beginning < BEGINNING_SECONDS, "", kind_of)
    records, also = read_kmsg(os.path.join(host.root, "dev/kmsg"))
    if not records:
        return log("", [], booted_at, False, f"{problem}; {also or '/dev/kmsg is empty'}")
    found, complete = parse_kmsg(records)
    return log("kmsg", [one for one in found if wanted(one[1])], booted_at, complete, problem, kind_of)
