# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import pathlib
import socket
import subprocess
import sys
import threading
import typing as t

import pytest

SCRIPT = pathlib.Path(__file__).parents[4] / "roles/gateway/files/gateway_alive.py"


class Gateway(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/alive" else 404)
        self.end_headers()

    def log_message(self, *_words: t.Any) -> None:
        pass


def asked(port: int) -> int:
    return subprocess.run([sys.executable, str(SCRIPT), "127.0.0.1", str(port)], timeout=60, check=False).returncode


@pytest.mark.parametrize(("status", "ends_with"), [(200, 0), (503, 1)])
def test_the_gateway_is_asked(monkeypatch: pytest.MonkeyPatch, status: int, ends_with: int) -> None:
    monkeypatch.setattr(Gateway, "status", status)
    with http.server.HTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert asked(server.server_port) == ends_with


def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert asked(taken.getsockname()[1]) == 1


def test_somebody_takes_the_call_and_says_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert asked(silent.getsockname()[1]) == 1
