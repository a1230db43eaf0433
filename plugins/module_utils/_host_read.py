# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what a profile of ``host_health`` expects: /proc, /sys, and a few bounded commands.

What cannot be read is None; a command that failed leaves its ``problem``.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import re
import shutil
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _node
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host, container, memory_bytes
from ansible_collections.gpufleet.inference.plugins.module_utils._host_limits import limits, running

Readings = dict[str, t.Any]

TIME_UNITS = ("chrony", "chronyd", "systemd-timesyncd", "ntpd", "ntpsec", "ntp", "openntpd")

GOVERNORS = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"

#: How long a process must stay in one state, without running once, to count as stuck.
STUCK_SECONDS = 2.0


def sysctl_path(key: str) -> str:
    """Return the file of a sysctl key; as in sysctl.d(5), a key whose first separator is a slash keeps its dots."""
    separators = re.search(r"[./]", key)
    slashed = key if separators and separators[0] == "/" else key.translate(str.maketrans("./", "/."))
    return f"/proc/sys/{slashed}"


def sysctl(host: Host, keys: t.Iterable[str]) -> dict[str, str | None]:
    """Return {key: value with single blanks, or None}."""
    values = {key: host.text(sysctl_path(key)) for key in keys}
    return {key: None if value is None else " ".join(value.split()) for key, value in values.items()}


def thp(host: Host) -> str | None:
    """Return the chosen word of transparent_hugepage/enabled."""
    chosen = re.search(r"\[(\w+)\]", host.text("/sys/kernel/mm/transparent_hugepage/enabled") or "")
    return chosen[1] if chosen else None


def counted(host: Host, pattern: str) -> dict[str, int]:
    """Return {content: number of files} of the files that match."""
    return dict(collections.Counter(host.text(path) or "unreadable" for path in host.paths(pattern)))


def time_sync(host: Host) -> Readings:
    """Return {synchronised: bool | None, daemons: [active units]}. One unit under two names counts once."""
    names = [f"{name}.service" for name in TIME_UNITS]
    shown = host.run(["systemctl", "show", "--property=Id,ActiveState", *names])
    pairs = re.findall(r"^(Id|ActiveState)=(.*)$", shown.stdout, re.MULTILINE)
    ids = [value for key, value in pairs if key == "Id"]
    states = [value for key, value in pairs if key == "ActiveState"]
    return {
        "synchronised": host.clock(),
        "daemons": sorted({unit for unit, state in zip(ids, states) if state == "active"}),
    }


def swap(host: Host) -> Readings:
    """Return {active: [devices] | None, masked: bool, in_fstab: bool}."""
    lines = host.text("/proc/swaps")
    fields = [line.split() for line in (host.text("/etc/fstab") or "").splitlines()]
    target = os.path.join(host.root, "etc/systemd/system/swap.target")
    return {
        "active": None if lines is None else [line.split()[0] for line in lines.splitlines()[1:]],
        "masked": os.path.islink(target) and os.readlink(target) == "/dev/null",
        "in_fstab": any(len(one) > 2 and not one[0].startswith("#") and one[2] == "swap" for one in fields),
    }


def blacklist(host: Host) -> list[str] | None:
    """Return the expressions that unattended-upgrades leaves alone, None when apt does not answer."""
    dumped = host.run(["apt-config", "dump", "Unattended-Upgrade::Package-Blacklist"])
    found = re.findall(r'^Unattended-Upgrade::Package-Blacklist:: "(.*)";$', dumped.stdout, re.MULTILINE)
    return found if dumped.ok else None


def packages(host: Host) -> Readings:
    """Return {manager, installed: [names], held: [names], blacklist: [regex] | None}."""
    manager = _node.distribution(host.root)["package_manager"]
    versions, held = _node.packages(manager, host.root)
    expressions = blacklist(host) if manager == "apt" else None
    return {"manager": manager, "installed": sorted(versions), "held": held, "blacklist": expressions}


def parse_upgrade(manager: str, text: str) -> dict[str, list[str]]:
    """Return {"installed": [names], "removed": [names]} of apt-get --simulate; dnf check-update tells the first only."""
    if manager == "apt":
        words = {"installed": "Inst", "removed": "Remv"}
        return {key: sorted(set(re.findall(rf"^{word} (\S+)", text, re.MULTILINE))) for key, word in words.items()}
    rows = [line.split() for line in text.partition("Obsoleting Packages")[0].splitlines()]
    names = {row[0].rpartition(".")[0] for row in rows if len(row) == 3 and "." in row[0]}
    return {"installed": sorted(names), "removed": []}


def upgrade(host: Host) -> Readings:
    """Return {installed: [names], removed: [names], problem}: what an upgrade would do today, from the lists that the node has."""
    manager = _node.distribution(host.root)["package_manager"]
    if manager == "apt":
        if not host.paths("/var/lib/apt/lists/*Packages*"):
            return {"installed": [], "removed": [], "problem": "this node has no package lists (apt-get update)"}
        asked = host.run(["apt-get", "--simulate", "-o", "Debug::NoLocking=1", "dist-upgrade"], timeout_seconds=60)
    else:
        asked = host.run(["dnf", "--quiet", "--cacheonly", "check-update"], timeout_seconds=60)
        if asked.rc == 100:  # dnf(8): there are updates
            asked = dataclasses.replace(asked, problem="")
    return {**parse_upgrade(manager, asked.stdout), "problem": asked.problem}


def asleep(host: Host) -> dict[tuple[str, str], dict[str, str]]:
    """Return {(pid, start time): {name, state, switches}} of the processes in state D or Z (proc_pid_stat(5))."""
    found = {}
    for path in host.paths("/proc/[0-9]*/stat"):
        match = re.match(r"(\d+) \((.*)\) (\S) (.*)", host.text(path) or "", re.DOTALL)
        if match and match[3] in "DZ":
            status = host.text(f"{os.path.dirname(path)}/status") or ""
            switches = re.findall(r"^\w*ctxt_switches:\s*(\d+)", status, re.MULTILINE)
            found[(match[1], match[4].split()[18])] = {
                "name": match[2],
                "state": match[3],
                "switches": " ".join(switches),
            }
    return found


def stuck(host: Host) -> dict[str, list[str]]:
    """Return {"D": [...], "Z": [...]}: who stayed in the state, without running once, between two looks."""
    first = asleep(host)
    if first:
        host.sleep(STUCK_SECONDS)
    second = asleep(host) if first else {}
    same = sorted((int(who[0]), seen) for who, seen in first.items() if second.get(who) == seen)
    return {state: [f"{seen['name']} ({pid})" for pid, seen in same if seen["state"] == state] for state in "DZ"}


def disk_free_gib(host: Host, paths: t.Iterable[str]) -> dict[str, float | None]:
    """Return {path: GiB free to root, or None when there is no such path}."""
    free: dict[str, float | None] = {}
    for path in paths:
        try:
            free[path] = round(shutil.disk_usage(os.path.join(host.root, path.lstrip("/"))).free / 2**30, 1)
        except OSError:
            free[path] = None
    return free


def shm_gib(host: Host) -> float | None:
    """Return the size of /dev/shm in GiB."""
    try:
        return round(shutil.disk_usage(os.path.join(host.root, "dev/shm")).total / 2**30, 1)
    except OSError:
        return None


def memory_gib(host: Host) -> float | None:
    size = memory_bytes(host)
    return None if size is None else round(size / 2**30, 1)


#: What to read for each key of the profile: (name of the reading, reader).
READERS: dict[str, tuple[str, t.Callable[[Host, t.Any], t.Any]]] = {
    "sysctl": ("sysctl", sysctl),
    "nofile": ("limits", lambda host, wanted: limits(host)),
    "memlock": ("limits", lambda host, wanted: limits(host)),
    "limits_of": ("running", running),
    "thp": ("thp", lambda host, wanted: thp(host)),
    "numa_balancing": ("numa_balancing", lambda host, wanted: host.text("/proc/sys/kernel/numa_balancing")),
    "governor": ("governors", lambda host, wanted: counted(host, GOVERNORS)),
    "iommu": ("iommu_groups", lambda host, wanted: counted(host, "/sys/kernel/iommu_groups/*/type")),
    "clock_source": (
        "clock_source",
        lambda host, wanted: host.text("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    ),
    "time_sync": ("time_sync", lambda host, wanted: time_sync(host)),
    "swap": ("swap", lambda host, wanted: swap(host)),
    "packages_held": ("packages", lambda host, wanted: packages(host)),
    "upgrade_simulation": ("upgrade", lambda host, wanted: upgrade(host) if wanted else None),
    "stuck_processes": ("stuck", lambda host, wanted: stuck(host)),
    "zombies": ("stuck", lambda host, wanted: stuck(host)),
    "disk_free_gib": ("disk_free_gib", disk_free_gib),
    "shm_gib": ("shm_gib", lambda host, wanted: shm_gib(host)),
    "memory_gib": ("memory_gib", lambda host, wanted: memory_gib(host)),
}


def read(host: Host, expect: t.Mapping[str, t.Any]) -> Readings:
    """Return the readings that the profile needs, and ``container``; each is read once."""
    readings: Readings = {"container": container(host)}
    for key, wanted in expect.items():
        name, reader = READERS[key]
        if name not in readings:
            readings[name] = reader(host, wanted)
    return readings
