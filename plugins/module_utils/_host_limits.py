# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read limits where they count: in new services, in new logins, and in processes that run.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import fnmatch
import os
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host

Readings = dict[str, t.Any]

#: CAP_IPC_LOCK, include/uapi/linux/capability.h: who has it may pin memory without a limit.
_IPC_LOCK = 14


def parse_limits(text: str) -> dict[str, tuple[str, str]]:
    """Return {"nofile" | "memlock": (soft, hard)} of the text of /proc/PID/limits."""
    found = re.findall(r"^Max (open files|locked memory) +(\S+) +(\S+)", text, re.MULTILINE)
    return {{"open files": "nofile", "locked memory": "memlock"}[name]: (soft, hard) for name, soft, hard in found}


def limits(host: Host) -> Readings:
    """Return {"services" | "logins": {limits, problem}, "ceiling": limits of PID 1}, read from real new processes."""
    asks = {
        # A process of a service, started now: files say what is wished, this says what systemd gives.
        "services": ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", "cat", "/proc/self/limits"],
        # A login: runuser(1) opens a PAM session, which is where limits.d counts.
        "logins": ["runuser", "root", "--command", "cat /proc/self/limits"],
    }
    read: Readings = {"ceiling": parse_limits(host.text("/proc/1/limits") or "")}
    for whose, argv in asks.items():
        outcome = host.run(argv, timeout_seconds=15)
        read[whose] = {"limits": parse_limits(outcome.stdout), "problem": outcome.problem}
    return read


def may_pin(status: str) -> bool:
    """Return whether the text of /proc/PID/status shows CAP_IPC_LOCK as effective."""
    effective = re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)
    return bool(effective and int(effective[1], 16) >> _IPC_LOCK & 1)


def running(host: Host, patterns: t.Iterable[str]) -> dict[str, list[Readings]]:
    """Return {pattern: [{pid, name, limits, ipc_lock}]} of the processes whose command line matches, by shell patterns.

    Processes whose limits are hidden or that ended meanwhile have none. This process itself is left out.
    """
    found: dict[str, list[Readings]] = {pattern: [] for pattern in patterns}
    for path in host.paths("/proc/[0-9]*"):
        pid = os.path.basename(path)
        words = (host.text(f"{path}/cmdline") or "").replace("\0", " ").strip()
        matching = [pattern for pattern in found if words and fnmatch.fnmatchcase(words, pattern)]
        if not matching or pid == str(os.getpid()):
            continue
        one = {
            "pid": int(pid),
            "name": host.text(f"{path}/comm") or "",
            "limits": parse_limits(host.text(f"{path}/limits") or ""),
            "ipc_lock": may_pin(host.text(f"{path}/status") or ""),
        }
        for pattern in matching:
            found[pattern].append(one)
    return found
