# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rank supervisor, loaded by its path, and stand-ins for what it talks to: docker, systemd, the clock's sleep."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import socket
import time
import types
import typing as t

import pytest

SUPERVISOR = pathlib.Path(__file__).parents[4] / "roles/node_tools/files/rank_supervisor.py"
NAME = "gpufleet-x-rank0"

#: Keeps the state of one container in files of its folder: `state` holds what inspect says, `calls` every call.
DOCKER = """#!/bin/sh
cd "${0%/*}"
echo "$*" >> calls
if [ -e silent ]; then echo "Cannot connect to the Docker daemon" >&2; exit 1; fi
case "$1" in
run)
  if [ -e refuses ]; then echo "Unable to find image 'engine:1'" >&2; exit 125; fi
  cat starts_as > state ;;
inspect)
  if [ "$3" = "{{.Id}}" ]; then cat identity; else cat state; fi ;;
logs)
  printf 'one\\ntwo\\nthree\\n'; echo "bind: Address already in use" >&2
  if [ -e says ]; then cat says; fi ;;
stop)
  if [ -e state ]; then echo "false 137" > state; fi ;;
rm)
  rm -f state ;;
esac
"""


class Docker:
    """A stand-in for docker on PATH, and its one container."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "docker").write_text(DOCKER)
        (folder / "docker").chmod(0o755)
        (folder / "calls").touch()
        self.starts_as("true 0")

    def starts_as(self, state: str) -> None:
        """What inspect says of a container that is started from now on: running or not, and its exit code."""
        (self.folder / "starts_as").write_text(state)

    def is_now(self, state: str) -> None:
        (self.folder / "state").write_text(state)

    def is_silent(self, silent: bool = True) -> None:
        """Whether the daemon is away."""
        (self.folder / "silent").touch() if silent else (self.folder / "silent").unlink()

    def refuses(self) -> None:
        """From now on `docker run` fails."""
        (self.folder / "refuses").touch()

    def says(self, text: str) -> None:
        """What the container's log ends with."""
        (self.folder / "says").write_text(text)

    def identity(self, identity: str) -> None:
        (self.folder / "identity").write_text(identity)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    @property
    def verbs(self) -> list[str]:
        return [call.split()[0] for call in self.calls]


class Systemd:
    """The socket on which systemd listens for the main process of a unit."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.channel.bind(address)
        self.channel.settimeout(30)

    def next(self) -> str:
        """Wait for the next message."""
        return self.channel.recv(10_000).decode()

    def all(self) -> list[str]:
        """Return the messages that have come."""
        self.channel.setblocking(False)
        found: list[str] = []
        try:
            while True:
                found.append(self.next())
        except BlockingIOError:
            return found


class Sleeps(list[float]):
    """How long the supervisor slept, without sleeping. ``then`` is called each time with the seconds.

    It stands in for the module ``time`` of the supervisor only: threads and processes of the tests have the real one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.then: t.Callable[[float], None] = lambda _seconds: None
        self.monotonic: t.Callable[[], float] = time.monotonic

    def sleep(self, seconds: float) -> None:
        self.append(seconds)
        self.then(seconds)


@pytest.fixture(scope="session")
def supervisor() -> types.ModuleType:
    return importlib.import_module("rank_supervisor")


@pytest.fixture(scope="session")
def probes() -> types.ModuleType:
    return importlib.import_module("rank_probes")


@pytest.fixture
def docker(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    stand_in = Docker(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{stand_in.folder}:{os.environ['PATH']}")
    return stand_in


@pytest.fixture
def systemd(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Systemd]:
    listener = Systemd(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", listener.address)
    yield listener
    listener.channel.close()


@pytest.fixture
def sleeps(supervisor: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> Sleeps:
    recorded = Sleeps()
    monkeypatch.setattr(supervisor, "time", recorded)
    return recorded


@pytest.fixture
def spec() -> dict[str, t.Any]:
    """A rank that needs nothing, is ready at once, is watched every 7 s and given up after three failures."""
    return {
        "container": {"name": NAME, "run": ["--network", "host", "engine:1", "serve"], "stop_seconds": 1},
        "sweep": [],
        "waits": [],
        "ready": [],
        "alive": [],
        "wait_budget_seconds": 0,
        "ready_budget_seconds": 0,
        "watch_seconds": 7,
        "alive_failures": 2,
        "give_up": {"failures": 3, "window_seconds": 3600, "delays_seconds": [2, 5]},
    }


@pytest.fixture
def spec_file(spec: dict[str, t.Any], tmp_path: pathlib.Path) -> t.Callable[..., pathlib.Path]:
    """Return ``write(**changed)``: the spec as a file, some of it changed."""

    def write(**changed: t.Any) -> pathlib.Path:
        path = tmp_path / "spec.json"
        path.write_text(json.dumps({**spec, **changed}))
        return path

    return write
