# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read all GPUs of a node through NVML, in a child process: what hangs or crashes there is a finding, not the module's end.

One process is forked; it imports nvidia-ml-py, reads (``_nvml_reader``) and sends every value as soon as it has it. When the
time is up it is killed, and all that came until then counts. A process that the driver holds cannot even be killed: it is
left behind, with no file of ours open.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import time
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _nvml_calls, _nvml_reader
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import OUTSIDE, unread

#: fcntl.h: room in the pipe for all of eight GPUs, so that the child goes on while the module does something else.
F_SETPIPE_SZ = 1031
PIPE_BYTES = 1 << 20

#: What nobody got to, because an earlier call did not come back.
NOT_REACHED = unread("NotReached")

#: A killed process is gone at once, unless the driver holds it.
REAP_SECONDS = 0.5


def read_nvml(timeout_seconds: float = 20.0, validate_inforom: bool = True) -> dict[str, t.Any]:
    """Return everything that NVML says about this node, as plain data, within the time; whatever fails is in the answer.

    Keys are ``library``, ``init``, ``hung_in``, ``system``, ``gpus`` and ``pairs``. A leaf that could not be read is the
    mark of ``_unread``. ``init.code`` is NVML's code, or -1 when nvidia-ml-py is missing or the child died.
    ``validate_inforom`` costs 70 ms per GPU (H200, driver 580.159.04, measured 2026-11-22).
    """
    return Reading(timeout_seconds, validate_inforom).result()


class Reading:
    """A reading that has begun. Whoever has other things to look at does so before asking for the ``result``."""

    def __init__(self, timeout_seconds: float = 20.0, validate_inforom: bool = True) -> None:
        self.timeout_seconds = timeout_seconds
        self.end = time.monotonic() + timeout_seconds
        self.collected = Collected()
        self.pipe, writing = os.pipe()
        with contextlib.suppress(OSError):
            fcntl.fcntl(writing, F_SETPIPE_SZ, PIPE_BYTES)
        self.pid = os.fork()
        if self.pid == 0:
            _become_reader(writing, validate_inforom)
        os.close(writing)

    def result(self) -> dict[str, t.Any]:
        """Return the record; waits for the rest of the time at most. To be called once."""
        ended = self._receive()
        status = _reap(self.pid)
        os.close(self.pipe)
        if not ended:
            self.collected.died(status)
        return self.collected.record

    def _receive(self) -> bool:
        """Take what the child sends; return False when it died before its end."""
        rest = b""
        while True:
            ready, _w, _x = select.select([self.pipe], [], [], max(0.0, self.end - time.monotonic()))
            if not ready:
                self.collected.hung(self.timeout_seconds)
                return True
            block = os.read(self.pipe, 1 << 16)
            if not block:
                return self.collected.ended
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                self.collected.take(json.loads(line))
            if self.collected.ended:
                return True


class Collected:
    """What the child has sent so far, as the record that ``read_nvml`` returns."""

    def __init__(self) -> None:
        self.ended = False
        self.pending: dict[str, str] = {}
        self.record: dict[str, t.Any] = {
            "library": "",
            "init": {"code": OUTSIDE, "error": "NotReached", "text": "nvmlInit was not reached"},
            "hung_in": "",
            "system": _tree(_nvml_reader.SYSTEM_LEAVES),
            "gpus": [],
            "pairs": [],
        }

    def take(self, message: list[t.Any]) -> None:
        """Take one message: [value, path, value], [count, GPUs], [call, thread, what], [done, thread], [end]."""
        kind = message[0]
        if kind == "value":
            *parents, last = message[1]
            place: t.Any = self.record
            for key in parents:
                place = place[key]
            place[last] = message[2]
        elif kind == "call":
            self.pending[message[1]] = message[2]
        elif kind == "done":
            self.pending.pop(message[1], None)
        elif kind == "count":
            self.record["gpus"] = [blank_gpu(index) for index in range(message[1])]
            self.record["pairs"] = [blank_pair(a, b) for a, b in _nvml_reader.pairs(message[1])]
        else:
            self.ended = True

    def where(self) -> str:
        """Return the calls that have begun and not come back."""
        return ", ".join(sorted(self.pending.values())) or "its start"

    def hung(self, seconds: float) -> None:
        """Note that the time was up."""
        self.record["hung_in"] = self.where()
        if "nvmlInit" in self.pending.values():
            text = f"nvmlInit did not return within {seconds:g} s"
            self.record["init"] = {"code": OUTSIDE, "error": "Timeout", "text": text}

    def died(self, status: int | None) -> None:
        """Note that the child ended before its time, with this wait status."""
        how = f"ended by signal {os.WTERMSIG(status)}" if status and os.WIFSIGNALED(status) else "ended"
        text = f"the reading process {how} in {self.where()}"
        self.record["init"] = {"code": OUTSIDE, "error": "ChildDied", "text": text}


def blank_gpu(index: int) -> dict[str, t.Any]:
    """Return the record of a GPU of which nothing was read."""
    calls = (*_nvml_calls.GPU_CALLS, _nvml_calls.INFOROM_CALL)
    leaves = ["handle", *(leaf for call in calls for leaf in call.leaves), *_nvml_calls.FIELDS, "nvlinks"]
    return {"index": index, **_tree(leaves)}


def blank_pair(a: int, b: int) -> dict[str, t.Any]:
    """Return the record of a pair of GPUs of which nothing was read."""
    return {"a": a, "b": b, **_tree(_nvml_calls.PAIR_INDEXES)}


def _tree(leaves: t.Iterable[str]) -> dict[str, t.Any]:
    """Return nested dicts with these dotted leaves, all unread."""
    found: dict[str, t.Any] = {}
    for leaf in leaves:
        *parents, last = leaf.split(".")
        place = found
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = dict(NOT_REACHED)
    return found


def _become_reader(pipe: int, validate_inforom: bool) -> t.NoReturn:
    """In the child: read, and end without a way back into the module."""
    status = 1
    try:
        # A child that cannot be killed must not hold what Ansible waits for: the module's output.
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)
        os.dup2(pipe, 3)
        os.closerange(4, 1 + max(int(name) for name in os.listdir("/proc/self/fd")))
        _nvml_reader.main(3, validate_inforom)
        status = 0
    finally:
        os._exit(status)


def _reap(pid: int) -> int | None:
    """Kill the child and take its status; None when the driver holds it and it cannot end."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + REAP_SECONDS
    while time.monotonic() < end:
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            return status
        time.sleep(0.002)
    return None
