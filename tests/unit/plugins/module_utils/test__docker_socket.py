# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import json
import pathlib
import socketserver
import threading
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_socket


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the daemon does; ``/hang`` never."""

    def do_GET(self) -> None:
        if self.path == "/hang":
            self.server.released.wait()  # type: ignore[attr-defined]
            return
        kind, body = {
            "/version": ("application/json", b'{"Version": "29.6.1"}'),
            "/text": ("text/plain", b"some text"),
            "/broken": ("application/json", b"{"),
            "/empty": ("application/json", b""),
        }.get(self.path, ("application/json", b'{"message": "no such thing"}'))
        self.answer(404 if b"no such" in body else 200, kind, body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, "application/json", json.dumps({"got": json.loads(body)}).encode())

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "socket"

    def log_message(self, format: str, *args: t.Any) -> None:
        return


@pytest.fixture
def daemon(tmp_path: pathlib.Path) -> t.Iterator[str]:
    path = str(tmp_path / "docker.sock")
    with socketserver.ThreadingUnixStreamServer(path, Handler) as server:
        server.released = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield path
        server.released.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/version", (200, {"Version": "29.6.1"})),
        ("/text", (200, "some text")),
        ("/empty", (200, None)),
        ("/nothing", (404, {"message": "no such thing"})),
    ],
)
def test_get(daemon: str, path: str, answer: tuple[int, t.Any]) -> None:
    assert _docker_socket.get(path, socket_path=daemon) == answer


def test_request_sends_json(daemon: str) -> None:
    assert _docker_socket.request("POST", "/x", {"a": 1}, socket_path=daemon) == (201, {"got": {"a": 1}})


@pytest.mark.parametrize(
    ("path", "reason"), [("/hang", "did not answer within 0.2 s"), ("/broken", "an answer that is no JSON")]
)
def test_bad_answers(daemon: str, path: str, reason: str) -> None:
    with pytest.raises(_docker_socket.DockerUnreachableError, match=reason):
        _docker_socket.get(path, timeout_seconds=0.2, socket_path=daemon)


def test_no_socket(tmp_path: pathlib.Path) -> None:
    with pytest.raises(_docker_socket.DockerUnreachableError, match="not installed or not started"):
        _docker_socket.get("/version", socket_path=str(tmp_path / "none"))


def test_nobody_listens(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "dead.sock")
    with socketserver.ThreadingUnixStreamServer(path, Handler):
        pass
    with pytest.raises(_docker_socket.DockerUnreachableError, match="daemon is not running"):
        _docker_socket.get("/version", socket_path=path)


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(connection: t.Any) -> None:
        raise PermissionError

    monkeypatch.setattr(_docker_socket._UnixConnection, "connect", refuse)
    with pytest.raises(_docker_socket.DockerUnreachableError, match="become: true"):
        _docker_socket.get("/version")


def test_not_http(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: t.Any) -> None:
        raise ConnectionResetError("reset")

    monkeypatch.setattr(_docker_socket._UnixConnection, "connect", broken)
    with pytest.raises(_docker_socket.DockerUnreachableError, match="broke off: ConnectionResetError reset"):
        _docker_socket.get("/version")


def test_bytes_come_as_they_are_up_to_a_limit(daemon: str) -> None:
    assert _docker_socket.get_bytes("/text", 1000, socket_path=daemon) == (200, b"some text")
    assert _docker_socket.get_bytes("/text", 4, socket_path=daemon) == (200, b"some")
    with pytest.raises(_docker_socket.DockerUnreachableError):
        _docker_socket.get_bytes("/text", 4, socket_path=f"{daemon}.not")
