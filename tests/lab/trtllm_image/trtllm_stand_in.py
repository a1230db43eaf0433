#!/usr/bin/python3
# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAB ONLY: a stand-in SERVER for trtllm-serve. It makes no tokens: it repeats which ranks the MPI world had.

usage: trtllm-serve MODEL --tp_size N --pp_size N --host H --port P [--config FILE] [further flags, which are not looked at]

As the real one: the port is bound before the model loads; /health then says 503 until the engine is ready, and 200; the
model is called like its directory; a world of another size than tensor × pipeline is refused. Loading takes
GPUFLEET_LAB_LOAD_SECONDS (2); when `fail` is in the file of --config, it fails instead.
"""

from __future__ import annotations

import http.server
import json
import os
import pathlib
import sys
import threading
import time
import typing as t

#: Flags that take no value; all others of trtllm-serve do.
SWITCHES = ("--enable_chunked_prefill", "--trust_remote_code", "--fail_fast_on_attention_window_too_large")


def options_of(words: list[str]) -> dict[str, str]:
    """Return {"model": path, flag: value} of a command line. Raises ValueError for a word that belongs to no flag."""
    found = {"model": words[0]}
    at = 1
    while at < len(words):
        flag = words[at]
        if not flag.startswith("--"):
            raise ValueError(f"Got unexpected extra argument ({flag})")
        found[flag] = "" if flag in SWITCHES else words[at + 1]
        at += 1 if flag in SWITCHES else 2
    return found


def world_of(environment: t.Mapping[str, str], options: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """Return the ranks of the MPI world. Raises ValueError when it is not tensor × pipeline processes large."""
    wanted = int(options.get("--tp_size", "1")) * int(options.get("--pp_size", "1"))
    size = int(environment.get("tllm_mpi_size", wanted))
    if size != wanted:
        raise ValueError(f"world_size {wanted} must match the number of processes {size}")
    if environment.get("OMPI_COMM_WORLD_RANK"):
        raise ValueError("the server runs inside of an MPI process; trtllm-llmapi-launch must start it")
    world: list[dict[str, t.Any]] = json.loads(environment.get("GPUFLEET_LAB_WORLD", "[]"))
    return world


def words_for(world: list[dict[str, t.Any]]) -> list[str]:
    """Return the words of every reply."""
    return ["I", "am", "a", "stand-in,", "ranks", *[f"{one['rank']}@{one['host']}" for one in world]]


class Server(http.server.ThreadingHTTPServer):
    """Bound at once, ready after the load."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], model: str, world: list[dict[str, t.Any]]) -> None:
        super().__init__(address, Handler)
        self.model, self.world = model, world
        self.ready = False


class Handler(http.server.BaseHTTPRequestHandler):
    """The paths that probes and clients ask."""

    server: Server

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(200 if self.server.ready else 503, None)
        elif self.path == "/v1/models" and self.server.ready:
            self._answer(200, {"object": "list", "data": [{"id": self.server.model, "object": "model"}]})
        elif self.path == "/world":
            self._answer(200, {"world": self.server.world})
        else:
            self._answer(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if not self.server.ready or self.path not in ("/v1/completions", "/v1/chat/completions"):
            self._answer(404, {"detail": "Not Found"})
            return
        chat = self.path == "/v1/chat/completions"
        words = words_for(self.server.world)[: asked.get("max_tokens") or asked.get("max_completion_tokens") or None]
        usage = {"prompt_tokens": 1, "completion_tokens": len(words), "total_tokens": 1 + len(words)}
        base = {"id": "stand-in", "created": int(time.time()), "model": self.server.model}
        if not asked.get("stream"):
            text = " ".join(words)
            choice = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
            kind = "chat.completion" if chat else "text_completion"
            done = {"index": 0, "finish_reason": "length", **choice}
            self._answer(200, {**base, "object": kind, "choices": [done], "usage": usage})
            return
        self._head(200, "text/event-stream")
        kind = "chat.completion.chunk" if chat else "text_completion"
        for at, word in enumerate(words):
            part: dict[str, t.Any] = {"delta": {"content": f"{word} "}} if chat else {"text": f"{word} "}
            end = "length" if at + 1 == len(words) else None
            self._event({**base, "object": kind, "choices": [{"index": 0, "finish_reason": end, **part}]})
        if (asked.get("stream_options") or {}).get("include_usage"):
            self._event({**base, "object": kind, "choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, event: dict[str, t.Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _head(self, status: int, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _answer(self, status: int, body: t.Any) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        self._head(status, "application/json", len(text))
        self.wfile.write(text)

    def log_message(self, format: str, *args: t.Any) -> None:
        """Probes would fill the log."""


def main(words: list[str]) -> int:
    """Serve until stopped."""
    options = options_of(words)
    world = world_of(os.environ, options)
    model = pathlib.Path(options["model"])
    config = json.loads(pathlib.Path(options["--config"]).read_text("utf-8")) if "--config" in options else {}
    server = Server((options["--host"], int(options["--port"])), model.name, world)
    print(f"stand-in: {len(world) or 1} ranks, config {sorted(config)}", file=sys.stderr, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    time.sleep(float(os.environ.get("GPUFLEET_LAB_LOAD_SECONDS", "2")))
    if not model.is_dir():
        raise FileNotFoundError(f"{model} does not exist")
    if "fail" in config:
        raise RuntimeError(f"Executor worker returned error: {config['fail']}")
    server.ready = True
    print("INFO:     Application startup complete.", file=sys.stderr, flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
