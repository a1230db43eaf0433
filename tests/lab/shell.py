# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands, progress lines and errors of the lab."""

from __future__ import annotations

import shutil
import subprocess
import time
import typing as t


class LabError(Exception):
    """Something that stops the lab; the message says what to do."""


def say(text: str) -> None:
    """Print one progress line at once."""
    print(f"lab: {text}", flush=True)


def run(
    argv: t.Sequence[str],
    stdin: str | None = None,
    env: dict[str, str] | None = None,
    timeout_seconds: float = 1800,
) -> str:
    """Run a command and return its stdout. Raises LabError with the end of its output when it fails."""
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=env,
            timeout=timeout_seconds,
            check=False,
        )
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed; install it and run this again") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{' '.join(argv)} did not end within {timeout_seconds:g} s") from None
    if done.returncode:
        ending = (done.stdout + done.stderr).strip()[-2000:]
        raise LabError(f"{' '.join(argv)} returned {done.returncode}:\n{ending}")
    return done.stdout


def attempt(argv: t.Sequence[str], timeout_seconds: float = 60) -> str | None:
    """Return the stripped stdout of a command, or None when it fails: for questions whose answer may be no."""
    try:
        return run(argv, timeout_seconds=timeout_seconds).strip()
    except LabError:
        return None


def wait_for(question: t.Callable[[], bool], what: str, remedy: str, timeout_seconds: float = 60) -> None:
    """Ask until the answer is yes. Raises LabError with the remedy after ``timeout_seconds``."""
    end = time.monotonic() + timeout_seconds
    while not question():
        if time.monotonic() > end:
            raise LabError(f"{what} did not happen within {timeout_seconds:g} s. {remedy}")
        time.sleep(0.3)


def install(program: str, packages: t.Sequence[str]) -> bool:
    """Install the distribution's packages when ``program`` is missing; return whether they were installed."""
    if shutil.which(program):
        return False
    if not shutil.which("apt-get"):
        raise LabError(f"{program} is missing and this machine has no apt-get; install {' '.join(packages)} by hand")
    say(f"installing {' '.join(packages)} with apt-get")
    run(["apt-get", "update"])
    run(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends", *packages])
    return True
