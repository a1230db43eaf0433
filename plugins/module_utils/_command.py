# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command with a bound in time: a hung tool is a finding, not a hang.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import typing as t


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
        done = subprocess.run(
            list(argv),
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_seconds,
            env=environment,
            check=False,
        )
    except FileNotFoundError:
        return Outcome(None, "", "", f"{argv[0]} is not installed")
    except subprocess.TimeoutExpired:
        return Outcome(None, "", "", f"{argv[0]} did not answer within {timeout_seconds:g} s")
    except OSError as error:
        return Outcome(None, "", "", f"{argv[0]} could not be started: {error}")
    problem = "" if done.returncode == 0 else f"{argv[0]} returned {done.returncode}: {done.stderr.strip()[-300:]}"
    return Outcome(done.returncode, done.stdout, done.stderr, problem)
