# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import subprocess
import threading
import typing as t

import container_logs
import pytest


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2026-11-22T10:00:00.1Z INFO ready\n", "INFO ready"),
        ("2026-11-22T10:00:00.1Z Received request a: prompt: 'my illness'\n", "Received request a: prompt: <left out>"),
        ("2026-11-22T10:00:00.1Z Avg prompt throughput: 3 tokens/s\n", "Avg prompt throughput: 3 tokens/s"),
    ],
)
def test_a_line_has_its_container_and_no_prompt(line: str, message: str) -> None:
    stamp, text = container_logs.entry("gpufleet-ray", line)
    assert stamp == "2026-11-22T10:00:00.1Z"
    assert json.loads(text) == {"container": "gpufleet-ray", "message": message}


def test_after_a_restart_nothing_is_sent_twice(tmp_path: pathlib.Path) -> None:
    written: list[str] = []
    state = str(tmp_path / "state.json")
    first = container_logs.Follower(state, written.append)
    first.take("a", "2026-11-22T10:00:00.1Z one\n")
    first.save()
    second = container_logs.Follower(state, written.append)
    second.take("a", "2026-11-22T10:00:00.1Z one\n")
    second.take("a", "2026-11-22T10:00:00.2Z two\n")
    assert [json.loads(text)["message"] for text in written] == ["one", "two"]
    assert "--since=2026-11-22T10:00:00.2Z" in container_logs.command("a", second.seen["a"])


def test_a_broken_state_begins_anew(tmp_path: pathlib.Path) -> None:
    (tmp_path / "state.json").write_text("{", encoding="utf-8")
    assert container_logs.Follower(str(tmp_path / "state.json"), print).seen == {}


def test_docker_s_own_words_are_no_lines_of_a_log(tmp_path: pathlib.Path) -> None:
    written: list[str] = []
    follower = container_logs.Follower(str(tmp_path / "state.json"), written.append)
    follower.take("a", "error from daemon in stream: Error grabbing logs: EOF\n")
    follower.take("a", "2026-11-22T10:00:00.1Z one\n")
    assert [json.loads(text)["message"] for text in written] == ["one"]
    assert follower.seen == {"a": "2026-11-22T10:00:00.1Z"}


def test_a_state_that_was_poisoned_is_healed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "state.json").write_text('{"a": "error", "b": "2026-11-22T10:00:00.1Z"}', encoding="utf-8")
    assert container_logs.Follower(str(tmp_path / "state.json"), print).seen == {"b": "2026-11-22T10:00:00.1Z"}


#: Stands in for docker: one container that has ended, and what is asked of it.
DOCKER = """#!/bin/sh
echo "$*" >> asked
[ "$1" = ps ] && { echo "id1 gpufleet-a Exited (1) 2 seconds ago"; exit; }
printf '2026-11-22T10:00:00.1Z 10%%\\r20%%\\n'
exit $(cat code)
"""


class Docker:
    def __init__(self, folder: pathlib.Path, code: int) -> None:
        self.folder, self.written = folder, list[str]()
        (folder / "docker").write_text(DOCKER, encoding="utf-8")
        (folder / "docker").chmod(0o755)
        (folder / "code").write_text(str(code), encoding="utf-8")
        self.follower = container_logs.Follower("state.json", self.written.append)

    def look(self) -> int:
        """Look once, wait for what it began, and return how many logs were read up to now."""
        before = set(threading.enumerate())
        self.follower.look()
        for thread in set(threading.enumerate()) - before:
            thread.join(30)
        return len([line for line in (self.folder / "asked").read_text(encoding="utf-8").split("\n") if "logs" in line])


@pytest.fixture
def docker(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[int], Docker]:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    return lambda code: Docker(tmp_path, code)


def test_what_ended_between_two_looks_is_read_once(docker: t.Callable[[int], Docker]) -> None:
    found = docker(0)
    assert [found.look(), found.look()] == [1, 1]
    assert [json.loads(text) for text in found.written] == [{"container": "gpufleet-a", "message": "10%\r20%"}]


def test_a_log_that_could_not_be_read_is_tried_again(docker: t.Callable[[int], Docker]) -> None:
    found = docker(1)
    assert [found.look(), found.look()] == [1, 2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_without_a_free_process_it_tries_again(
    docker: t.Callable[[int], Docker], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = docker(0)

    def fail(*words: t.Any, **options: t.Any) -> t.NoReturn:
        raise OSError("Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", fail)
        patched.setattr(container_logs, "listed", lambda: [("id1", "gpufleet-a", True)])
        before = set(threading.enumerate())
        found.follower.look()
        for thread in set(threading.enumerate()) - before:
            thread.join(30)
    assert found.look() == 1
