# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where and how to look at a node: the root of its files, and the means to ask its programs.

Every reader takes ``Host``, so that tests can give it a fake tree and fake answers.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ctypes
import dataclasses
import glob
import re
import sys
import time
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _dcb, _node
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome, bounded

#: STA_UNSYNC and TIME_ERROR, include/uapi/linux/timex.h
_STA_UNSYNC, _TIME_ERROR = 0x40, 5

#: Size of struct timex on 64-bit Linux, and where its int ``status`` lies.
_TIMEX_BYTES, _TIMEX_STATUS = 208, slice(40, 44)


def kernel_clock_synchronised() -> bool | None:
    """Return what the kernel says of its clock (adjtimex(2), no privilege needed), or None when it does not answer."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # all zero: only read
    state = ctypes.CDLL(None).adjtimex(timex)
    status = int.from_bytes(timex.raw[_TIMEX_STATUS], sys.byteorder)
    return None if state < 0 else state != _TIME_ERROR and not status & _STA_UNSYNC


@dataclasses.dataclass(frozen=True)
class Host:
    """Where to look and how to ask."""

    root: str = "/"
    run: t.Callable[..., Outcome] = bounded
    clock: t.Callable[[], bool | None] = kernel_clock_synchronised
    sleep: t.Callable[[float], None] = time.sleep
    priorities: t.Callable[[str], dict[str, t.Any]] = _dcb.ask

    def text(self, path: str) -> str | None:
        return _node.text(self.root, path)

    def paths(self, pattern: str) -> list[str]:
        """Return the paths below root that match, as seen from root."""
        base = self.root.rstrip("/")
        return sorted(path[len(base) :] for path in glob.glob(glob.escape(base) + pattern))


def container(host: Host) -> str:
    """Return the name of the container engine around this node, or ""."""
    for path, name in (("/.dockerenv", "docker"), ("/run/.containerenv", "podman")):
        if host.paths(path):
            return name
    return host.text("/run/systemd/container") or ""


def memory_bytes(host: Host) -> int | None:
    """Return the memory that the kernel uses: a little less than what is plugged in."""
    found = re.search(r"^MemTotal:\s+(\d+) kB", host.text("/proc/meminfo") or "", re.MULTILINE)
    return int(found[1]) * 1024 if found else None
