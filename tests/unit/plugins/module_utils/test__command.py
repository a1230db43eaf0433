# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command that fails in any way is a finding, never an exception and never a hang."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _command
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome, bounded


def test_a_good_command_has_no_problem() -> None:
    outcome = bounded(["/bin/sh", "-c", "echo out; echo err >&2"])
    assert outcome == Outcome(0, "out\n", "err\n", "")
    assert outcome.ok


def test_stdin_is_given_or_empty() -> None:
    assert bounded(["cat"], stdin="words").stdout == "words"
    assert bounded(["cat"]).stdout == ""


def test_answers_come_in_the_c_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    assert bounded(["/bin/sh", "-c", "echo $LC_ALL $LANGUAGE"]).stdout == "C C\n"


def test_bytes_that_are_no_text_do_not_matter() -> None:
    assert bounded(["printf", "a\\377b"]).stdout == "a\ufffdb"


def test_a_bad_status_comes_with_the_last_words() -> None:
    outcome = bounded(["/bin/sh", "-c", "echo out; echo no permission >&2; exit 3"])
    assert not outcome.ok
    assert (outcome.rc, outcome.stdout) == (3, "out\n")
    assert outcome.problem == "/bin/sh returned 3: no permission"


def test_long_complaints_are_cut_to_their_end() -> None:
    problem = bounded(["/bin/sh", "-c", "printf '%0999d' 7 >&2; exit 1"]).problem
    assert problem == "/bin/sh returned 1: " + "0" * 299 + "7"


def test_a_missing_tool_is_named() -> None:
    assert bounded(["gpufleet-no-such-tool", "-v"]) == Outcome(None, "", "", "gpufleet-no-such-tool is not installed")


def test_a_hanging_tool_is_ended() -> None:
    outcome = bounded(["sleep", "60"], timeout_seconds=0.05)
    assert outcome == Outcome(None, "", "", "sleep did not answer within 0.05 s")


def test_a_tool_that_cannot_be_killed_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs in a driver takes no signal: here it is spared the signal instead."""
    processes: list[Undying] = []

    class Undying(subprocess.Popen[str]):
        def kill(self) -> None:
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Undying)
    monkeypatch.setattr(_command, "_GRACE_SECONDS", 0.01)
    assert bounded(["sleep", "60"], timeout_seconds=0.05).problem == "sleep did not answer within 0.05 s"
    (process,) = processes
    assert process.poll() is None
    process.terminate()
    process.wait()


def test_a_file_that_cannot_be_started_is_named(tmp_path: pathlib.Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("words")
    outcome = bounded([str(tool)])
    assert outcome.rc is None
    assert outcome.problem.startswith(f"{tool} could not be started: ")
