# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the lab, its record files and its errors."""

from __future__ import annotations

import os
import pathlib

import pytest

from tests.lab import __main__ as command_line
from tests.lab import engine_daemon, paths, shell
from tests.lab.shell import LabError


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "usage: python -m tests.lab COMMAND"),
        (["fly"], 2, "usage: python -m tests.lab COMMAND"),
        (["up", "lab1", "nowhere"], 1, "lab: error: unknown hosts: nowhere; known: lab1"),
        (["up"], 1, "unknown hosts: (none given)"),
        (["reboot", "nowhere"], 1, "unknown hosts: nowhere"),
        (["down", "lab1", "--all"], 1, "unknown hosts: --all"),
    ],
)
def test_bad_commands_say_what_to_write(
    arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(arguments) == status
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_broken_record_counts_as_none(tmp_path: pathlib.Path, text: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(text)
    assert paths.read_json(path) == {}


def test_a_record_is_read_as_it_was_written(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "new" / "record.json"
    paths.write_json(path, {"id": "x"})
    assert paths.read_json(path) == {"id": "x"}


def test_only_a_living_dockerd_is_one() -> None:
    assert not engine_daemon.is_dockerd(os.getpid())
    assert not engine_daemon.is_dockerd(2**22 + 1)


def test_an_engine_that_the_lab_did_not_start_is_left_running(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "STATE", tmp_path / "state.json")
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("killed something"))
    engine_daemon.stop()
    assert "did not start it" in capsys.readouterr().out


def test_a_used_again_process_id_is_not_killed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "STATE", tmp_path / "state.json")
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("killed something"))
    paths.write_json(paths.STATE, {"docker": {"by": "process", "pid": os.getpid()}})
    engine_daemon.stop()
    assert paths.read_json(paths.STATE) == {}


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["/does/not/exist"], "/does/not/exist is not installed"),
        (["sh", "-c", "echo reason >&2; exit 3"], "returned 3:\nreason"),
        (["sleep", "9"], "did not end within 0.1 s"),
    ],
)
def test_a_failed_command_tells_its_reason(argv: list[str], message: str) -> None:
    with pytest.raises(LabError, match=message):
        shell.run(argv, timeout_seconds=0.1 if argv[0] == "sleep" else 10)


def test_waiting_ends_with_the_remedy() -> None:
    with pytest.raises(LabError, match=r"the thing did not happen within 0 s\. Do this\."):
        shell.wait_for(lambda: False, "the thing", "Do this.", timeout_seconds=0)
