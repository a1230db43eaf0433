# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read on a node what helps to find a fault: commands, logs of units and containers, plans. All bounded, nothing changed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import glob
import json
import os
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _command, _docker_logs, _docker_socket, _redact

#: Name in the bundle to the command.
COMMANDS: dict[str, tuple[str, ...]] = {
    "uname.txt": ("uname", "-a"),
    "units.txt": (
        "systemctl",
        "list-units",
        "--all",
        "--no-pager",
        "gpufleet-*",
        "docker.service",
        "nvidia-*",
        "haproxy*",
    ),
    "failed.txt": ("systemctl", "--failed", "--no-pager"),
    "addresses.txt": ("ip", "-s", "address"),
    "routes.txt": ("ip", "route"),
    "listening.txt": ("ss", "-ltn"),
    "disks.txt": ("df", "-hT"),
    "memory.txt": ("free", "-m"),
    "clock.txt": ("timedatectl", "show"),
    "containers.txt": ("docker", "ps", "--all", "--no-trunc"),
    "images.txt": ("docker", "images", "--digests"),
    "docker.txt": ("docker", "version"),
    "nvidia-smi.txt": ("nvidia-smi", "-q"),
    "ibstat.txt": ("ibstat",),
    "firewall.txt": ("nft", "list", "table", "inet", "gpufleet"),
    "kernel.txt": ("journalctl", "--dmesg", "--no-pager", "--lines=2000", "--output=short-iso"),
}

#: Configuration and plans. What may hold secrets by its name is left out, whatever redaction would do.
FILES = (
    "/etc/gpufleet/**/*",
    "/etc/gpufleet-monitoring/*.yml",
    "/etc/docker/daemon.json",
    "/var/lib/gpufleet/paths.json",
    "/var/log/gpufleet*/*.log",
    "/var/log/nginx/gpufleet/*.log",
)
SECRET_PATH = re.compile(
    r"(?:token|password|secret|credential|keys?\b|/ssh/|\.key$|\.pem$|alertmanager\.yml$)", re.IGNORECASE
)

#: The end of a longer text is kept.
LIMIT_BYTES = 2 * 1024 * 1024
UNIT = re.compile(r"(gpufleet-[\w@.-]+)\.service")


def tail(text: str, limit: int = LIMIT_BYTES) -> str:
    """Return the last ``limit`` characters of a text, saying what was cut."""
    return text if len(text) <= limit else f"… {len(text) - limit} characters before this\n{text[-limit:]}"


def run(argv: t.Sequence[str]) -> str:
    """Return a command's output, or why there is none."""
    done = _command.bounded(argv, timeout_seconds=30)
    return done.stdout if done.ok else f"{done.stdout}{done.problem}\n"


def wanted(path: str) -> bool:
    """Return whether a file may be read into the bundle."""
    return os.path.isfile(path) and not SECRET_PATH.search(path)


def files(patterns: t.Iterable[str] = FILES) -> dict[str, str]:
    """Return ``files/<path>`` → text of configuration and logs."""
    found = {}
    for path in sorted({one for pattern in patterns for one in glob.glob(pattern, recursive=True)}):
        if not wanted(path):
            continue
        try:
            with open(path, "rb") as stream:
                stream.seek(max(0, os.path.getsize(path) - LIMIT_BYTES))
                found[f"files{path}"] = stream.read(LIMIT_BYTES).decode("utf-8", "replace")
        except OSError as error:
            found[f"files{path}"] = f"could not be read: {error.strerror}\n"
    return found


def inspected(answer: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what ``docker inspect`` says of a container, the values of secret variables cut."""
    kept = {
        key: answer.get(key) for key in ("Name", "Created", "State", "Image", "RestartCount", "HostConfig", "Mounts")
    }
    config = answer.get("Config") or {}
    shown = {key: config.get(key) for key in ("Image", "Cmd", "Entrypoint", "Labels", "User")}
    return {**kept, "Config": {**shown, "Env": _redact.environment(config.get("Env") or [])}}


def containers() -> dict[str, str]:
    """Return log and inspection of each of our containers, also of ended ones."""
    try:
        _status, listed = _docker_socket.get("/containers/json?all=true")
        names = sorted(one["Names"][0].lstrip("/") for one in listed if one.get("Names"))
    except (_docker_socket.DockerUnreachableError, TypeError) as error:
        return {"containers/problem.txt": f"{error}\n"}
    found = {}
    for name in (one for one in names if one.startswith("gpufleet-")):
        log, problem = _docker_logs.read(name)
        found[f"containers/{name}.log"] = tail(log) or f"{problem}\n"
        try:
            _status, answer = _docker_socket.get(f"/containers/{name}/json")
            found[f"containers/{name}.json"] = json.dumps(inspected(answer), indent=1, sort_keys=True)
        except _docker_socket.DockerUnreachableError as error:
            found[f"containers/{name}.json"] = f"{error}\n"
    return found


def units(lines: int) -> dict[str, str]:
    """Return the journal of each of our units."""
    listed = run(("systemctl", "list-unit-files", "--no-legend", "--no-pager", "gpufleet-*"))
    names = sorted(set(UNIT.findall(listed)))
    argv = ("journalctl", "--no-pager", f"--lines={lines}", "--output=short-iso")
    return {f"journal/{name}.log": tail(run((*argv, f"--unit={name}.service"))) for name in names}


def texts(lines: int) -> dict[str, str]:
    """Return all of it, name in the bundle → redacted text."""
    found = {name: tail(run(argv)) for name, argv in COMMANDS.items()}
    found.update(files())
    found.update(units(lines))
    found.update(containers())
    return {name: _redact.redacted(text)[0] for name, text in found.items()}
