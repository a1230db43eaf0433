# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example client against a stand-in for the gateway: it must send the key and print what is streamed."""

from __future__ import annotations

import collections.abc as c
import http.server
import json
import pathlib
import subprocess
import sys
import threading

import pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "openai_chat.py"


class Gateway(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        allowed = self.headers["Authorization"] == "Bearer s3cret" and self.path == "/v1/chat/completions"
        self.send_response(200 if allowed and asked["stream"] else 401)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for word in ("two ", "nodes") if asked["model"] == "tiny" else ():
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
            chunk["choices"] = [{"index": 0, "delta": {"content": word}, "finish_reason": None}]
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def url() -> c.Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def chat(folder: pathlib.Path, endpoints: list[dict[str, str]], *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "reports").mkdir()
    (folder / "reports" / "last.json").write_text(json.dumps({"endpoints": endpoints}))
    command = [sys.executable, str(EXAMPLE), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def endpoint(folder: pathlib.Path, url: str, key: str) -> dict[str, str]:
    (folder / "key").write_text(key)
    return {"name": "tiny", "model": "tiny", "url": url, "api_key_path": str(folder / "key"), "certificate_path": ""}


@pytest.mark.parametrize("key", ["s3cret\n", "team:s3cret\nother:word\n"])
def test_the_reply_is_printed(tmp_path: pathlib.Path, url: str, key: str) -> None:
    done = chat(tmp_path, [endpoint(tmp_path, url, key)], "Who are you?")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"tiny at {url}",
        "> Who are you?",
        "two nodes",
        "(2 pieces arrived one by one)",
    ]


def test_a_wrong_key_is_an_error(tmp_path: pathlib.Path, url: str) -> None:
    done = chat(tmp_path, [endpoint(tmp_path, url, "wrong")])
    assert done.returncode != 0
    assert "401" in done.stderr
    assert "two nodes" not in done.stdout


def test_without_an_endpoint_it_says_what_is_missing(tmp_path: pathlib.Path) -> None:
    done = chat(tmp_path, [])
    assert done.returncode == 2
    assert "the report names no endpoint of that model; known: none" in done.stderr
