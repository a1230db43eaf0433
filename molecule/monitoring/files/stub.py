# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for an engine's /metrics, and for a receiver of alerts, which keeps what it got in /run/gpufleet-stub.jsonl."""

from __future__ import annotations

import http.server
import json
import pathlib

KEPT = pathlib.Path("/run/gpufleet-stub.jsonl")
METRICS = """# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="stub"} 5
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="stub"} 0
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="stub"} 1000
"""


class Stub(http.server.BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        self._answer(METRICS.encode() if self.path == "/metrics" else b"")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        got = {"authorization": self.headers.get("Authorization"), "alerts": body["alerts"]}
        with KEPT.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(got) + "\n")
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", 8090), Stub).serve_forever()
