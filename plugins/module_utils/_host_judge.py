# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge what ``_host_read`` read against a profile: pure functions on plain data.

A judge takes ``(readings, wanted)`` and returns checks. In a container what belongs to the whole machine (vm.*,
kernel.*, /sys, clock, swap) passes when it happens to be as wanted and is ``not_verified`` otherwise, as it is not the
node's to set.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._host_judge_limits import (
    RUN_ROLE,
    limits_of,
    memlock,
    nofile,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    FAIL,
    PASS,
    WARN,
    Check,
    check,
    not_verified,
)

Readings = t.Mapping[str, t.Any]


def _machines(
    readings: Readings, name: str, observed: t.Any, wanted: t.Any, otherwise: str, remedy: str, source: str
) -> Check:
    """Return the check of a setting of the whole machine; None observed means that there is no such thing here."""
    where = f"in this {readings['container']} container" if readings["container"] else "on this node"
    if observed is None:
        remedy = "Look at the machine or take it out of the profile."
        return not_verified(name, f"does not exist {where}", wanted, remedy, source)
    if observed == wanted:
        return check(name, PASS, observed, wanted, source=source)
    if readings["container"]:
        why = f"{observed}, which belongs to the machine that runs this container"
        return not_verified(name, why, wanted, "Set it on the machine.", source)
    return check(name, otherwise, observed, wanted, remedy, source)


def sysctl(readings: Readings, wanted: t.Mapping[str, t.Any]) -> list[Check]:
    """A key of the network namespace is the node's own also in a container."""
    checks = []
    for key, value in wanted.items():
        expected, observed = " ".join(str(value).split()), readings["sysctl"][key]
        own = dict(readings, container="") if re.match(r"net[./]", key) and observed is not None else readings
        checks.append(_machines(own, f"sysctl {key}", observed, expected, FAIL, RUN_ROLE, "/proc/sys"))
    return checks


def thp(readings: Readings, wanted: str) -> list[Check]:
    source = "/sys/kernel/mm/transparent_hugepage/enabled"
    return [_machines(readings, "transparent huge pages", readings["thp"], wanted, WARN, RUN_ROLE, source)]


def numa_balancing(readings: Readings, wanted: t.Any) -> list[Check]:
    source = "/proc/sys/kernel/numa_balancing"
    observed = readings["numa_balancing"]
    return [_machines(readings, "NUMA balancing", observed, str(wanted), WARN, RUN_ROLE, source)]


def _uniform(counts: t.Mapping[str, int]) -> str | None:
    """Return the one value, or all with their counts; None for nothing."""
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{value} ({count})" for value, count in sorted(counts.items())) or None


def governor(readings: Readings, wanted: str) -> list[Check]:
    source = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    observed = _uniform(readings["governors"])
    return [_machines(readings, "CPU governor", observed, wanted, WARN, RUN_ROLE, source)]


def iommu(readings: Readings, wanted: str) -> list[Check]:
    """``pt``: no translation for the host's own devices; an IOMMU that is off has no groups and is as good."""
    observed = _uniform(readings["iommu_groups"]) or "off"
    good = observed == "off" or (wanted == "pt" and observed == "identity")
    remedy = "Add iommu=pt to the kernel's command line and reboot."
    source = "/sys/kernel/iommu_groups/*/type"
    return [check("IOMMU", PASS if good else WARN, observed, wanted, remedy, source)]


def clock_source(readings: Readings, wanted: str) -> list[Check]:
    source = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
    remedy = "Look in the kernel's log for why it left this clock source (unstable TSC, firmware)."
    return [_machines(readings, "clock source", readings["clock_source"], wanted, WARN, remedy, source)]


def time_sync(readings: Readings, wanted: bool) -> list[Check]:
    read, source = readings["time_sync"], "adjtimex(2), systemctl"
    daemons = ", ".join(read["daemons"]) or "no time daemon"
    if not wanted:
        return []
    if len(read["daemons"]) > 1:
        remedy = "Remove all time daemons but one: they pull the clock against each other."
        return [check("time sync", WARN, daemons, "one time daemon", remedy, source)]
    observed = {None: None, True: "synchronised", False: f"not synchronised, {daemons}"}[read["synchronised"]]
    remedy = "Start the time daemon and let it reach its servers (chronyc sources, timedatectl timesync-status)."
    return [_machines(readings, "time sync", observed, "synchronised", WARN, remedy, source)]


def swap(readings: Readings, wanted: str) -> list[Check]:
    read, source = readings["swap"], "/proc/swaps, /etc/fstab"
    if wanted != "off":
        return []
    observed = None if read["active"] is None else ", ".join(read["active"]) or "off"
    if observed == "off" and read["in_fstab"] and not read["masked"]:
        observed = "off, but on again after a reboot"
    return [_machines(readings, "swap", observed, "off", WARN, RUN_ROLE, source)]


def _matching(names: t.Iterable[str], patterns: t.Iterable[str]) -> list[str]:
    one = re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns) or r"(?!)")
    return sorted(name for name in names if one.match(name))


def packages_held(readings: Readings, wanted: t.Sequence[str]) -> list[Check]:
    """Holds are checked on what is installed, the blacklist also on names that a pattern stands for."""
    read, patterns = readings["packages"], ", ".join(wanted)
    locked = _matching(read["installed"], wanted)
    free = [name for name in locked if name not in read["held"]]
    source = {"apt": "dpkg's selections", "dnf": "dnf versionlock"}.get(read["manager"], "package database")
    if locked:
        verdict = FAIL if free else PASS
        observed = f"not held: {', '.join(free)}" if free else f"held: {', '.join(locked)}"
        checks = [check("packages held", verdict, observed, patterns, RUN_ROLE, source)]
    else:
        checks = [not_verified("packages held", "no package of these is installed", patterns, "", source)]
    if read["manager"] == "apt":
        examples = [re.sub(r"[*?]", "x", pattern) for pattern in wanted]
        checks.append(_blacklist(read["blacklist"], [*locked, *examples], patterns))
    return checks


def _blacklist(expressions: list[str] | None, names: list[str], patterns: str) -> Check:
    name, source = "unattended upgrades", "apt-config dump"
    if expressions is None:
        return not_verified(name, "apt-config did not answer", patterns, "Run apt-config dump by hand.", source)
    open_to = sorted({one for one in names if not any(re.match(expression, one) for expression in expressions)})
    observed = f"may touch {', '.join(open_to)}" if open_to else f"{len(expressions)} names are kept from it"
    return check(name, FAIL if open_to else PASS, observed, patterns, RUN_ROLE, source)


def upgrade_simulation(readings: Readings, wanted: t.Any) -> list[Check]:
    """``wanted`` is the list of patterns that no upgrade may touch."""
    name, source = "upgrade leaves held packages alone", "apt-get --simulate dist-upgrade, dnf check-update"
    if not wanted:
        return []
    read = readings["upgrade"]
    if read["problem"]:
        return [not_verified(name, read["problem"], ", ".join(wanted), "Refresh the package lists.", source)]
    touched = _matching([*read["installed"], *read["removed"]], wanted)
    if touched:
        return [check(name, FAIL, f"would change {', '.join(touched)}", ", ".join(wanted), RUN_ROLE, source)]
    if read["removed"]:
        # Holding one half of what belongs together makes apt remove what needs the other half.
        remedy = "Hold what belongs together, or let go of what should move: look at apt-get --simulate dist-upgrade."
        return [check(name, WARN, f"would remove {', '.join(read['removed'])}", ", ".join(wanted), remedy, source)]
    observed = f"{len(read['installed'])} packages would change, none of the held ones"
    return [check(name, PASS, observed, ", ".join(wanted), RUN_ROLE, source)]


def _few(name: str, who: list[str], wanted: int, remedy: str) -> list[Check]:
    observed = f"{len(who)}: {', '.join(who[:5])}" if who else "0"
    return [check(name, WARN if len(who) > wanted else PASS, observed, f"at most {wanted}", remedy, "/proc/*/stat")]


def stuck_processes(readings: Readings, wanted: int) -> list[Check]:
    remedy = "Look at /proc/PID/stack and the kernel's log: storage, network file system or driver does not answer."
    return _few("processes stuck in the kernel", readings["stuck"]["D"], wanted, remedy)


def zombies(readings: Readings, wanted: int) -> list[Check]:
    remedy = "Restart their parent, which does not collect them."
    return _few("zombie processes", readings["stuck"]["Z"], wanted, remedy)


def disk_free_gib(readings: Readings, wanted: t.Mapping[str, t.Any]) -> list[Check]:
    checks = []
    for path, least in wanted.items():
        free, name = readings["disk_free_gib"][path], f"free space in {path}"
        if free is None:
            checks.append(not_verified(name, "there is no such path", least, "Make or mount it.", "statvfs"))
        else:
            verdict = PASS if free >= float(least) else FAIL
            checks.append(check(name, verdict, free, least, "Free space or use a larger file system.", "statvfs"))
    return checks


def shm_gib(readings: Readings, wanted: float) -> list[Check]:
    size, name = readings["shm_gib"], "size of /dev/shm"
    if size is None:
        return [not_verified(name, "there is no /dev/shm", wanted, "Mount it.", "statvfs")]
    remedy = "Mount /dev/shm with a larger size=."
    return [check(name, PASS if size >= float(wanted) else WARN, size, wanted, remedy, "statvfs")]


def memory_gib(readings: Readings, wanted: float) -> list[Check]:
    size, name = readings["memory_gib"], "memory"
    if size is None:
        return [not_verified(name, "/proc/meminfo could not be read", wanted, "Read it by hand.", "/proc/meminfo")]
    remedy = (
        "Compare dmidecode --type memory with the order: a module is missing, dead or switched off by the firmware."
    )
    return [check(name, PASS if size >= float(wanted) else FAIL, size, wanted, remedy, "/proc/meminfo")]


#: Key of the profile → its judge. The keys are those of ``_host_read.READERS``.
JUDGES: dict[str, t.Callable[[Readings, t.Any], list[Check]]] = {
    "sysctl": sysctl,
    "nofile": nofile,
    "memlock": memlock,
    "limits_of": limits_of,
    "thp": thp,
    "numa_balancing": numa_balancing,
    "governor": governor,
    "iommu": iommu,
    "clock_source": clock_source,
    "time_sync": time_sync,
    "swap": swap,
    "packages_held": packages_held,
    "upgrade_simulation": upgrade_simulation,
    "stuck_processes": stuck_processes,
    "zombies": zombies,
    "disk_free_gib": disk_free_gib,
    "shm_gib": shm_gib,
    "memory_gib": memory_gib,
}


def mistakes(expect: t.Mapping[str, t.Any]) -> list[str]:
    """Return what is unknown in a profile."""
    unknown = sorted(set(expect) - set(JUDGES))
    found = [f"unknown {', '.join(unknown)}. Known are {', '.join(JUDGES)}."] if unknown else []
    for pattern, wishes in expect.get("limits_of", {}).items():
        strange = sorted(set(wishes) - {"memlock", "nofile"})
        if strange:
            found.append(f"limits_of: {pattern}: unknown {', '.join(strange)}. Known are memlock, nofile.")
    return found


def judge(readings: Readings, expect: t.Mapping[str, t.Any]) -> list[Check]:
    """Return the checks of all keys of the profile, in its order."""
    return [one for key, wanted in expect.items() for one in JUDGES[key](readings, wanted)]
