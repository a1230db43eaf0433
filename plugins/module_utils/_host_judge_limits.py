# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge the limits that ``_host_limits`` read: of new services, new logins and running processes.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    FAIL,
    PASS,
    WARN,
    Check,
    check,
    not_verified,
)

Readings = t.Mapping[str, t.Any]

RUN_ROLE = "Run the role gpufleet.inference.os_tuning here; if it stays so, look for another file or tool that sets it."


def _enough(observed: str, wanted: t.Any) -> bool:
    if observed == "unlimited":
        return True
    return str(wanted) != "unlimited" and int(observed) >= int(wanted)


def _limit(readings: Readings, what: str, whose: str, wanted: t.Any, otherwise: str) -> Check:
    name, read = f"{what} of {whose}", readings["limits"][whose]
    source = {"services": "/proc/self/limits in a new service", "logins": "/proc/self/limits in a new login"}[whose]
    if what not in read["limits"]:
        why = " ".join(read["problem"].split()) or "its limits could not be read"
        return not_verified(name, why, wanted, "Start a process by hand and read its /proc/PID/limits.", source)
    soft, hard = read["limits"][what]
    if _enough(soft, wanted):
        return check(name, PASS, soft, wanted, source=source)
    if readings["container"]:
        ceiling = readings["limits"]["ceiling"].get(what, ("", ""))[1]
        if soft == hard == ceiling:
            why = f"{soft}, the ceiling of this container, which is set where it is started"
            return not_verified(name, why, wanted, "Start the container with a higher limit.", source)
        if whose == "logins":
            why = f"{soft}; in a container limits of logins are left to whoever starts it"
            return not_verified(name, why, wanted, "Start the container with a higher limit.", source)
    return check(name, otherwise, soft, wanted, RUN_ROLE, source)


def nofile(readings: Readings, wanted: int) -> list[Check]:
    return [_limit(readings, "nofile", whose, wanted, WARN) for whose in ("services", "logins")]


def memlock(readings: Readings, wanted: t.Any) -> list[Check]:
    """RDMA pins memory: too little ends in failed registrations, hence ``fail``."""
    return [_limit(readings, "memlock", whose, wanted, FAIL) for whose in ("services", "logins")]


def _limit_of(what: str, pattern: str, running: list[dict[str, t.Any]], wanted: t.Any) -> Check:
    """Return the check of all processes of a pattern at once, which names those that have too little."""
    name, source = f"{what} of {pattern}", "/proc/PID/limits"
    if not running:
        why = "no process has such a command line"
        return not_verified(name, why, wanted, "Start it, or correct the pattern in the profile.", source)
    hidden = [f"{one['name']} ({one['pid']})" for one in running if what not in one["limits"]]
    # Whoever has CAP_IPC_LOCK pins memory as it likes; containers without --privileged seldom have it.
    free = [one for one in running if what == "memlock" and one["ipc_lock"]]
    low = [
        f"{one['limits'][what][0]} in {one['name']} ({one['pid']})"
        for one in running
        if one not in free and what in one["limits"] and not _enough(one["limits"][what][0], wanted)
    ]
    if low:
        remedy = "Raise the limit where it is started (LimitMEMLOCK=, LimitNOFILE=, --ulimit) and restart it."
        return check(name, FAIL if what == "memlock" else WARN, ", ".join(low[:5]), wanted, remedy, source)
    if hidden:
        why = f"the limits of {', '.join(hidden[:5])} could not be read"
        return not_verified(name, why, wanted, "Look as root; if they ended meanwhile, look again.", source)
    observed = f"enough in {len(running)}" + (f", {len(free)} of them by CAP_IPC_LOCK" if free else "")
    return check(name, PASS, observed, wanted, source=source)


def limits_of(readings: Readings, wanted: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[Check]:
    """Files and new processes say what should be; a process that was started earlier or elsewhere has its own limits."""
    return [
        _limit_of(what, pattern, readings["running"][pattern], least)
        for pattern, wishes in wanted.items()
        for what, least in wishes.items()
    ]
