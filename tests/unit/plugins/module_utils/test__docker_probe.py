# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container is started, read and removed; what the daemon refuses is an outcome."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_probe, _docker_socket

LOG = {"Type": "json-file", "Config": {}}


class Daemon:
    """Answers of a daemon, and what it was asked."""

    def __init__(self, **changed: tuple[int, t.Any]) -> None:
        self.asked: list[str] = []
        self.wish: dict[str, t.Any] = {}
        self.answers: dict[str, tuple[int, t.Any]] = {
            "create": (201, {"Id": "probe"}),
            "json": (200, {"HostConfig": {"LogConfig": LOG}}),
            "start": (204, None),
            "wait": (200, {"StatusCode": 0}),
            "logs": (200, "hello"),
            "probe": (204, None),
            **changed,
        }

    def request(self, method: str, path: str, body: t.Any, timeout_seconds: float, _socket: str) -> tuple[int, t.Any]:
        assert timeout_seconds == 7
        name = path.split("?", maxsplit=1)[0].rpartition("/")[2]
        self.asked.append(f"{method} {name}")
        self.wish = body or self.wish
        return self.answers[name]


def run(monkeypatch: pytest.MonkeyPatch, daemon: Daemon) -> _docker_probe.Outcome:
    monkeypatch.setattr(_docker_socket, "request", daemon.request)
    return _docker_probe.run("engine:1", ["nvidia-smi", "-L"], {"Env": ["A=1"]}, {"Runtime": "nvidia"}, 7)


def test_a_container_that_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon()
    assert run(monkeypatch, daemon) == (LOG, "hello", 0, "")
    assert daemon.asked == ["POST create", "GET json", "POST start", "POST wait", "GET logs", "DELETE probe"]
    assert daemon.wish["HostConfig"] == {"NetworkMode": "none", "Runtime": "nvidia"}
    assert (daemon.wish["Cmd"], daemon.wish["Env"], daemon.wish["Entrypoint"]) == (["nvidia-smi", "-L"], ["A=1"], [])


@pytest.mark.parametrize(
    ("step", "log", "removed"),
    [("create", None, False), ("json", None, True), ("start", LOG, True), ("wait", LOG, True), ("logs", LOG, True)],
)
def test_a_refusal_is_an_outcome(monkeypatch: pytest.MonkeyPatch, step: str, log: t.Any, removed: bool) -> None:
    daemon = Daemon(**{step: (500, {"message": "no such runtime"})})
    found = run(monkeypatch, daemon)
    assert (found.log, found.text, found.code) == (log, None, None)
    assert "no such runtime" in found.problem
    assert ("DELETE probe" in daemon.asked) is removed
