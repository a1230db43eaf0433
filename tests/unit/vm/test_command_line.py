# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the virtual machines, and what ansible-playbook's failure looks like."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import sys

import pytest

from tests.lab.shell import LabError
from tests.vm import __main__ as command_line
from tests.vm import ansible, paths
from tests.vm.say import must


@pytest.mark.parametrize("arguments", [[], ["fly"], ["verbs", "boot"]])
def test_bad_commands_say_what_to_write(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(arguments) == 2
    assert "usage: python -m tests.vm COMMAND" in capsys.readouterr().err


def test_a_proof_that_fails_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(command_line.PROOFS, "verbs", lambda: must(False, "the moon is cheese"))
    assert command_line.main(["verbs"]) == 1
    assert "vm: error: not so: the moon is cheese" in capsys.readouterr().err


def test_all_runs_every_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    for name in command_line.PROOFS:
        monkeypatch.setitem(command_line.PROOFS, name, functools.partial(ran.append, name))
    assert command_line.main(["all"]) == 0
    assert ran == ["verbs", "topology", "boot"]


@pytest.mark.parametrize(
    ("program", "message"),
    [("echo task failed; exit 2", r"x returned 2:\n.*task failed"), ("exec sleep 60", "did not end within 0.5 s")],
)
def test_a_failed_playbook_shows_its_end(
    program: str, message: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = tmp_path / "ansible-playbook"
    player.write_text(f"#!/bin/sh\n{program}\n")
    player.chmod(0o755)
    monkeypatch.setattr(paths, "BIN", tmp_path)
    monkeypatch.setattr(paths, "LOGS", tmp_path)
    with pytest.raises(LabError, match=message):
        ansible.play(pathlib.Path("x.yml"), pathlib.Path("hosts"), timeout_seconds=0.5 if "sleep" in program else 60)


@pytest.mark.parametrize(("status", "good"), [(2, True), (0, False), (4, False)])
def test_a_playbook_that_must_find_something(
    status: int, good: bool, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = tmp_path / "ansible-playbook"
    player.write_text(f"#!/bin/sh\nexit {status}\n")
    player.chmod(0o755)
    monkeypatch.setattr(paths, "BIN", tmp_path)
    monkeypatch.setattr(paths, "LOGS", tmp_path)
    with contextlib.nullcontext() if good else pytest.raises(LabError, match=f"y returned {status}"):
        ansible.play(pathlib.Path("x.yml"), pathlib.Path("hosts"), fails=True, name="y")
    assert (tmp_path / "y.log").exists()


def test_ansible_is_the_one_beside_this_python() -> None:
    assert pathlib.Path(sys.executable).parent == paths.BIN
