# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command with a bound in time: a hung tool is a finding, not a hang.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import typing as t

#: How long a killed process may take to go.
_GRACE_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a command. ``problem`` is empty when it ran and returned 0."""

    rc: int | None
    stdout: str
    stderr: str
    problem: str

    @property
    def ok(self) -> bool:
        return not self.problem


def bounded(argv: t.Sequence[str], timeout_seconds: float = 10.0, stdin: str | None = None) -> Outcome:
    """Run ``argv`` without a shell, in the C locale, for at most ``timeout_seconds``; never raises."""
    environment = dict(os.environ, LC_ALL="C", LANGUAGE="C")
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment,
        )
    except FileNotFoundError:
        return Outcome(None, "", "", f"{argv[0]} is not installed")
    except OSError as error:
        return Outcome(None, "", "", f"{argv[0]} could not be started: {error}")
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        _abandon(process)
        return Outcome(None, "", "", f"{argv[0]} did not answer within {timeout_seconds:g} s")
    status = process.returncode
    problem = "" if status == 0 else f"{argv[0]} returned {status}: {stderr.strip()[-300:]}"
    return Outcome(status, stdout, stderr, problem)


def _abandon(process: subprocess.Popen[str]) -> None:
    """Kill a process and leave it alone: one that hangs in a driver dies only when the driver lets it go."""
    process.kill()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_GRACE_SECONDS)
