# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what the role ``os_tuning`` does on a node: pure functions on plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``node`` is what ``node_facts`` read (shape in ``docs/architecture.md``). ``wishes`` are the role's variables without
their prefix: ``state``, ``sysctl``, ``nofile``, ``memlock_unlimited``, ``thp``, ``numa_balancing_enabled``,
``cpu_governor``, ``time_sync``, ``time_daemons``, ``swap``, ``packages``, ``held_packages``.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t

#: What systemd-detect-virt(1) calls containers. Their /proc/sys/{vm,kernel}, /sys, clock and swap are the machine's.
CONTAINERS = frozenset(
    {"docker", "podman", "lxc", "lxc-libvirt", "systemd-nspawn", "openvz", "rkt", "proot", "pouch", "wsl"}
    | {"container-other"}
)

#: fs.nr_open of Linux; setrlimit(2) refuses more, and pam_limits then refuses the login.
NR_OPEN_DEFAULT = 1048576

KEEP = "keep"
OF_THE_MACHINE = "belongs to the machine that runs this container"

_SYSCTL_KEY = re.compile(r"[a-z0-9_]+([./][A-Za-z0-9_:./*-]+)+")
_PACKAGE_PATTERN = re.compile(r"[a-z0-9][a-z0-9+.*?-]*")


def in_container(node: t.Mapping[str, t.Any]) -> bool:
    """Return whether the node is a container."""
    return node.get("virtualization") in CONTAINERS


def swap_policy(value: t.Any) -> t.Any:
    """Return ``off`` for what YAML makes of an unquoted ``off``; anything else unchanged."""
    return "off" if value is False else value


def mistakes(wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Return one sentence per mistake in the wishes: the variable, what is wrong, what to write."""
    found: list[str] = []
    for key, value in wishes["sysctl"].items():
        if not _SYSCTL_KEY.fullmatch(key):
            found.append(f"os_tuning_sysctl: {key!r} is not a key; write one such as net.core.somaxconn.")
        elif isinstance(value, bool) or not isinstance(value, (int, str)) or "\n" in str(value):
            found.append(f"os_tuning_sysctl: {key} must be a number or one line of text, not {value!r}.")
    nr_open = str(wishes["sysctl"].get("fs.nr_open", ""))
    ceiling = min(NR_OPEN_DEFAULT, int(nr_open) if nr_open.isdigit() else NR_OPEN_DEFAULT)
    if not 1024 <= wishes["nofile"] <= ceiling:
        found.append(
            f"os_tuning_nofile: {wishes['nofile']} is not between 1024 and {ceiling}, fs.nr_open; above it the kernel "
            "refuses the limit and PAM the login. Write a number between them."
        )
    daemons = sorted(wishes["time_daemons"])
    if wishes["time_sync"] not in [KEEP, *daemons]:
        found.append(f"os_tuning_time_sync: {wishes['time_sync']!r} is unknown; write {', '.join([*daemons, KEEP])}.")
    found.extend(
        f"os_tuning_held_packages: {pattern!r} is not a package name or pattern; write one such as nvidia-*."
        for pattern in wishes["held_packages"]
        if not _PACKAGE_PATTERN.fullmatch(str(pattern)) or str(pattern).startswith("*")
    )
    return found


def matching(names: t.Iterable[str], patterns: t.Iterable[str]) -> list[str]:
    """Return the sorted names that match one of the shell patterns."""
    one = re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns) or r"(?!)")
    return sorted(name for name in names if one.match(name))


def blacklist(patterns: t.Iterable[str]) -> list[str]:
    """Return the patterns as regular expressions for unattended-upgrades, which anchors them at the start only."""
    return [
        "^" + re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".").replace(r"\-", "-") + "$"
        for pattern in patterns
    ]


def sysctl_split(sysctl: t.Mapping[str, t.Any], container: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Return (keys to write, {key left out: reason}). A container owns the keys of its network namespace only."""
    written, left_out = {}, {}
    for key, value in sysctl.items():
        if container and not re.match(r"net[./]", key):
            left_out[key] = OF_THE_MACHINE
        else:
            written[key] = str(value)
    return written, left_out


def time_daemon(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> str:
    """Return the one time daemon: the wished, but an installed one is kept; empty where the clock is not ours."""
    if wishes["time_sync"] == KEEP or in_container(node):
        return ""
    installed = [name for name in sorted(wishes["time_daemons"]) if name in node["packages"]]
    return str(wishes["time_sync"] if wishes["time_sync"] in installed or not installed else installed[0])


def idle_unit(node: t.Mapping[str, t.Any], unit: str) -> str:
    """Return the unit when it must still be started or enabled, else an empty string."""
    seen = node["units"].get(unit, {})
    return "" if (seen.get("active"), seen.get("enabled")) == ("active", "enabled") else unit


def kernel_settings(wishes: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return {path pattern under /sys: value} of what is written there at every boot."""
    wanted = {
        "/sys/kernel/mm/transparent_hugepage/enabled": wishes["thp"],
        "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor": wishes["cpu_governor"],
    }
    return {path: value for path, value in wanted.items() if value != KEEP}


def expectation(wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the profile for ``host_health``: everything that was wished, also where it cannot be reached."""
    return {
        "sysctl": {key: str(value) for key, value in wishes["sysctl"].items()},
        "nofile": wishes["nofile"],
        "numa_balancing": int(wishes["numa_balancing_enabled"]),
        "packages_held": list(wishes["held_packages"]),
        **({"memlock": "unlimited"} if wishes["memlock_unlimited"] else {}),
        **({"thp": wishes["thp"]} if wishes["thp"] != KEEP else {}),
        **({"governor": wishes["cpu_governor"]} if wishes["cpu_governor"] != KEEP else {}),
        **({"time_sync": True} if wishes["time_sync"] != KEEP else {}),
        **({"swap": "off"} if swap_policy(wishes["swap"]) == "off" else {}),
    }


def plan(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what must be so on the node::

    {"container": bool, "files": {name: "present" | "absent"}, "sysctl": {key: value}, "left_out": {key: reason},
     "settings": {path: value}, "packages": [to install], "time_service": unit to start or "",
     "hold": [names], "unhold": [names], "pins": {installed package: version}, "blacklist": [regex],
     "expect": profile of host_health}
    """
    present, container = wishes["state"] == "present", in_container(node)
    numa = {"kernel.numa_balancing": int(wishes["numa_balancing_enabled"])}
    written, left_out = sysctl_split({**wishes["sysctl"], **numa}, container)
    settings = {} if container else kernel_settings(wishes)
    daemon = time_daemon(node, wishes) if present else ""
    packages = [*wishes["packages"], *([daemon] if daemon else [])] if present else []
    lockable = matching(node["packages"], wishes["held_packages"])
    wanted = {
        "sysctl": bool(written),
        # Where a container may not raise limits, pam_limits would refuse every login.
        "limits": not container,
        "systemd": True,
        "settings": bool(settings),
        "apt": node["package_manager"] == "apt" and bool(wishes["held_packages"]),
    }
    return {
        "container": container,
        "files": {name: "present" if present and yes else "absent" for name, yes in wanted.items()},
        "sysctl": written,
        "left_out": left_out,
        "settings": settings,
        "packages": sorted(name for name in packages if name not in node["packages"]),
        "time_service": idle_unit(node, wishes["time_daemons"].get(daemon, "")),
        "hold": [name for name in lockable if present and name not in node["held_packages"]],
        "unhold": [name for name in lockable if not present and name in node["held_packages"]],
        "pins": {name: node["packages"][name] for name in lockable},
        "blacklist": blacklist(wishes["held_packages"]),
        "expect": expectation(wishes) if present else {},
    }


#: Repair → the checks of host_health (by the start of their names) that it mends, and the file that it carries out.
REPAIRS = {
    "sysctl": (("sysctl ", "NUMA balancing"), "/etc/sysctl.d/"),
    "limits": (("nofile of services", "memlock of services"), "/etc/systemd/"),
    "settings": (("transparent huge pages", "CPU governor"), "/etc/tmpfiles.d/"),
    "swap": (("swap",), None),
}


def repairs(checks: t.Iterable[t.Mapping[str, t.Any]], changed_paths: t.Iterable[str]) -> list[str]:
    """Return what must be carried out: a file of it changed, or a check says that its effect is not there."""
    broken = [one["name"] for one in checks if one["verdict"] in ("warn", "fail")]
    changed = list(changed_paths)
    return [
        name
        for name, (starts, folder) in REPAIRS.items()
        if any(check.startswith(starts) for check in broken)
        or any(folder is not None and path.startswith(folder) for path in changed)
    ]
