# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of the gateway's benchmark: each has one connection and sends one request after another."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import ssl
import statistics
import time

PROMPT = "word " * 400


@dataclasses.dataclass(frozen=True)
class Route:
    """Where clients go: ``key`` and ``context`` are for a gateway."""

    name: str
    port: int
    key: str = ""
    context: ssl.SSLContext | None = None


@dataclasses.dataclass(frozen=True)
class Load:
    """``clients`` at once, each ``requests`` one after another, of ``tokens`` each, ``pace_seconds`` apart."""

    clients: int
    requests: int
    tokens: int
    pace_seconds: float


@dataclasses.dataclass(frozen=True)
class Figures:
    """What a run showed: tokens per second of all clients, milliseconds to the first token."""

    tokens_per_second: float
    ttft_ms: float


async def _client(route: Route, load: Load, firsts: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", route.port, ssl=route.context)
    body = json.dumps(
        {
            "messages": [{"role": "user", "content": PROMPT}],
            "model": "stub",
            "stream": True,
            "max_tokens": load.tokens,
            "pace_seconds": load.pace_seconds,
        }
    ).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += f"Authorization: Bearer {route.key}\r\n" if route.key else ""
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    try:
        for _number in range(load.requests):
            begun = time.perf_counter()
            writer.write(request)
            received = await reader.readuntil(b"\r\n\r\n")
            if not received.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{route.name} answered {received[:80]!r}")
            received = await reader.readuntil(b"\n\n")
            firsts.append(time.perf_counter() - begun)
            while not received.endswith(b"0\r\n\r\n"):
                piece = await reader.read(65536)
                if not piece:
                    raise RuntimeError(f"{route.name} broke a stream off")
                received = received[-16:] + piece
    finally:
        writer.close()


async def _run(route: Route, load: Load) -> Figures:
    firsts: list[float] = []
    begun = time.perf_counter()
    await asyncio.gather(*[_client(route, load, firsts) for _client_number in range(load.clients)])
    seconds = time.perf_counter() - begun
    return Figures(load.clients * load.requests * load.tokens / seconds, statistics.median(firsts) * 1000)


def run(route: Route, load: Load) -> Figures:
    """Drive one route with one load. Raises RuntimeError when a stream was refused or cut."""
    return asyncio.run(_run(route, load))
