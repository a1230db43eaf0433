# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a rank that failed: its container, its log, its unit, the kernel's log, and what is full on the node.

Everything is bounded and read-only. What could not be looked at is told in ``problems``, never left out in silence.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import datetime
import os
import pathlib
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_logs, _docker_socket
from ansible_collections.gpufleet.inference.plugins.module_utils._command import bounded

#: Where the rank supervisor keeps the container that failed last (roles/node_tools/files/rank_supervisor.py).
BEFORE = "-before"

#: Disks on which a full one ends a start.
DISKS = ("/", "/tmp", "/var/lib/docker", "/var/lib/gpufleet")
KERNEL_LINES = 2000
#: The only lines of the kernel's log that leave the node.
KERNEL_WORDS = ("Xid", "Out of memory", "oom-kill", "NVRM", "mlx5", "nvidia")


def container(name: str) -> tuple[dict[str, t.Any] | None, str]:
    """Return ({running, exit_code, oom_killed, error, started_at, finished_at} or None, why Docker could not be asked)."""
    try:
        status, answer = _docker_socket.get(f"/containers/{name}/json")
    except _docker_socket.DockerUnreachable as error:
        return None, str(error)
    if status != 200:
        return None, "" if status == 404 else f"Docker answered {status} for {name}"
    state = answer["State"]
    return {
        "running": bool(state.get("Running")),
        "exit_code": int(state.get("ExitCode", 0)),
        "oom_killed": bool(state.get("OOMKilled")),
        "error": str(state.get("Error", "")),
        "started_at": str(state.get("StartedAt", "")),
        "finished_at": str(state.get("FinishedAt", "")),
    }, ""


def status_of(unit: str) -> tuple[str, str]:
    """Return (what the supervisor told systemd, why systemd could not be asked)."""
    shown = bounded(["systemctl", "show", "--property=StatusText", "--value", unit])
    return shown.stdout.strip(), shown.problem


def kernel(since: str) -> tuple[str, str]:
    """Return (lines of the kernel's log about GPUs and memory, why it could not be read).

    ``since`` is a container's start, RFC 3339 in UTC; older lines are left out, for they are about another start.
    """
    shown = bounded(["dmesg", "--time-format", "iso", "--level", "emerg,alert,crit,err,warn,notice,info"])
    if not shown.ok:
        return "", shown.problem
    return relevant(shown.stdout, since), ""


def relevant(text: str, since: str) -> str:
    """Return the lines of ``dmesg --time-format iso`` that name GPUs or memory and are not older than ``since``.

    Their times become Docker's form, so that they can be compared with lines of logs.
    """
    found = []
    for line in text.splitlines()[-KERNEL_LINES:]:
        stamp, _, rest = line.partition(" ")
        if any(word in rest for word in KERNEL_WORDS):
            when = _utc(stamp)
            if not when or when[:19] >= since[:19]:
                found.append(f"{when} {rest}" if when else line)
    return "\n".join(found)


def _utc(stamp: str) -> str:
    """Return ``2026-11-22T05:14:01,221345+01:00`` as ``2026-11-22T04:14:01.221345Z``; empty for what is no time."""
    try:
        when = datetime.datetime.fromisoformat(stamp.replace(",", "."))
    except ValueError:
        return ""
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if when.tzinfo else ""


def facts(root: str = "/") -> dict[str, t.Any]:
    """Return {shm_free_bytes, disk_free_bytes: {path: bytes}, rdma}; a path that does not exist is left out."""
    base = pathlib.Path(root)
    found: dict[str, t.Any] = {"shm_free_bytes": _free(base / "dev/shm"), "disk_free_bytes": {}}
    for disk in DISKS:
        free = _free(base / disk.lstrip("/"))
        if free is not None:
            found["disk_free_bytes"][disk] = free
    devices = base / "sys/class/infiniband"
    found["rdma"] = devices.is_dir() and any(devices.iterdir())
    return found


def _free(path: pathlib.Path) -> int | None:
    try:
        read = os.statvfs(path)
    except OSError:
        return None
    return read.f_bavail * read.f_frsize


def rank(number: int, engine: str, name: str, unit: str) -> tuple[dict[str, t.Any], list[str]]:
    """Return (the rank as ``_diagnosis.findings`` takes it, what could not be looked at)."""
    state, docker_problem = container(name)
    log, log_problem = _docker_logs.read(name) if state else ("", "")
    status, unit_problem = status_of(unit)
    if not docker_problem and not status.startswith("ready") and (state is None or state["running"]):
        # Another start has begun, or is waited for: what failed is the one before.
        before, _problem = container(name + BEFORE)
        if before:
            earlier, log_problem = _docker_logs.read(name + BEFORE)
            state, log = before, f"{earlier}{log}"
    lines, kernel_problem = kernel((state or {}).get("started_at", ""))
    seen = {"rank": number, "engine": engine, "container": name, "unit": unit, "state": state, "log": log}
    problems = [one for one in (docker_problem, log_problem, unit_problem, kernel_problem) if one]
    return {**seen, "status": status, "kernel": lines, "facts": facts()}, problems
