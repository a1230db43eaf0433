# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Docker Engine of this machine: installed and started when there is none, stopped only when started here."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess

from tests.lab import paths
from tests.lab.shell import LabError, attempt, install, run, say, wait_for

LOG = paths.CACHE / "dockerd.log"
PACKAGES = ("docker.io", "iptables")


def answers() -> bool:
    """Whether a Docker Engine answers."""
    return attempt(["docker", "version", "--format", "{{.Server.Version}}"], timeout_seconds=15) is not None


def ensure() -> None:
    """Make sure that a Docker Engine answers. Remembers in the state file what it started."""
    if answers():
        return
    install("dockerd", PACKAGES)
    install("iptables", PACKAGES)
    if answers():  # the package's own service may have come up
        return
    state = paths.read_json(paths.STATE)
    if pathlib.Path("/run/systemd/system").is_dir():
        run(["systemctl", "start", "docker.service"])
        state["docker"] = {"by": "systemd"}
    else:
        state["docker"] = {"by": "process", "pid": _start_process()}
    paths.write_json(paths.STATE, state)
    wait_for(answers, "an answer of the Docker Engine", f"Read {LOG} or `journalctl -u docker`.")
    say("Docker Engine started")


def _start_process() -> int:
    """Start dockerd in a session of its own (no init system here) and return its process id."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("ab") as log:
        return subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        ).pid


def stop() -> None:
    """Stop the Docker Engine when this lab started it; leave any other alone."""
    state = paths.read_json(paths.STATE)
    started = state.pop("docker", None)
    if started is None:
        say("Docker Engine left running: the lab did not start it")
        return
    if started["by"] == "systemd":
        run(["systemctl", "stop", "docker.socket", "docker.service"])
    elif is_dockerd(started["pid"]):
        os.kill(started["pid"], signal.SIGTERM)
        wait_for(lambda: not is_dockerd(started["pid"]), "the end of dockerd", f"Read {LOG}.")
    paths.write_json(paths.STATE, state)
    say("Docker Engine stopped")


def is_dockerd(pid: int) -> bool:
    """Whether this process id still belongs to a living dockerd (ids are used again)."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "Name:\tdockerd\n" in status and "\nState:\tZ" not in status


def require() -> None:
    """Raise LabError when no Docker Engine answers."""
    if not answers():
        raise LabError("no Docker Engine answers; run `python -m tests.lab docker` first")
