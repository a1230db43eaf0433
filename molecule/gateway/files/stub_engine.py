# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for an inference engine, for tests of the gateway: no model, fixed tokens, as open as vLLM is.

It answers every route, so that a route that is closed is closed by the gateway. A completion whose prompt begins with a gate's
name sends its first chunk and then waits until ``GET /v1/stub/open/<gate>`` opens the gate, at any of the stand-ins of this host: the
second chunk exists only after the client has seen the first. ``stub_engine.py PORT``.
"""

from __future__ import annotations

import http.server
import json
import pathlib
import sys
import time
import typing as t

GATE_SECONDS = 60.0
PORT = int(sys.argv[1])
MODEL = {8002: "org/other-model"}.get(PORT, "stub-model")
#: A gate is a file, so that one stand-in can open what another waits for.
GATES = pathlib.Path("/run/gpufleet-stub-gates")


def passed(name: str) -> bool:
    """Wait for a gate, and return whether it was opened in time."""
    end = time.monotonic() + GATE_SECONDS
    while not (GATES / name).exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class Engine(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self._json({"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        elif self.path.startswith("/v1/stub/open/"):
            GATES.mkdir(exist_ok=True)
            (GATES / self.path.rpartition("/")[2]).touch()
            self._json({"opened": True})
        else:
            self._json({"stub": "answers everything"})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if self.path != "/v1/chat/completions" or not request.get("stream"):
            self._json({"usage": {"completion_tokens": 1}, "port": PORT, "model": request.get("model")})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        # What an engine asks for must not make the gateway buffer.
        self.send_header("X-Accel-Buffering", "yes")
        self.send_header("X-Stub-Port", str(PORT))
        self.end_headers()
        prompt = request["messages"][-1]["content"]
        self._event({"choices": [{"index": 0, "delta": {"content": "first"}, "finish_reason": None}]})
        if prompt.startswith("gate-") and not passed(prompt.split()[0]):
            self._event({"error": {"message": "nobody opened the gate: the first chunk did not reach the client"}})
        self._event({"choices": [{"index": 0, "delta": {"content": " second"}, "finish_reason": "stop"}]})
        # As engines do, only when asked.
        if (request.get("stream_options") or {}).get("include_usage"):
            said = json.dumps({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 12}})
            # Networks cut where they like.
            begin, end = said.split("2}")
            self._chunk(f"data: {begin}".encode())
            time.sleep(0.2)
            self._chunk(f"2}}{end}\n\n".encode())
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, data: dict[str, t.Any]) -> None:
        self._chunk(f"data: {json.dumps(data)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _json(self, data: dict[str, t.Any]) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # What arrived, for tests of what the gateway passes on.
        self.send_header("X-Stub-Path", self.path)
        self.send_header("X-Stub-Authorization", self.headers.get("Authorization") or "none")
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer.request_queue_size = 128
    http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Engine).serve_forever()
