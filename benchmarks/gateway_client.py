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
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


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


@dataclasses.dataclass
class Seen:
    """What one client saw: seconds to each first token, and seconds with its requests in flight."""

    firsts: list[float] = dataclasses.field(default_factory=list)
    seconds: float = 0.0


def _request(route: Route, load: Load) -> bytes:
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
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _ask(route: Route, request: bytes, streams: Streams, seen: Seen) -> None:
    """Send one request and read its whole answer."""
    reader, writer = streams
    begun = time.perf_counter()
    writer.write(request)
    received = await reader.readuntil(b"\r\n\r\n")
    if not received.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{route.name} answered {received[:80]!r}")
    received = await reader.readuntil(b"\n\n")
    seen.firsts.append(time.perf_counter() - begun)
    while not received.endswith(b"0\r\n\r\n"):
        piece = await reader.read(65536)
        if not piece:
            raise RuntimeError(f"{route.name} broke a stream off")
        received = received[-16:] + piece
    seen.seconds += time.perf_counter() - begun


async def _client(route: Route, load: Load, number: int, streams: Streams) -> Seen:
    seen = Seen()
    request = _request(route, load)
    # Clients are not in step; so that runs are alike, the steps between them are the same in each.
    await asyncio.sleep(load.pace_seconds * load.tokens * number / load.clients)
    for _number in range(load.requests):
        await _ask(route, request, streams, seen)
    return seen


async def _run(route: Route, load: Load) -> Figures:
    # Connections are made and used once before anything is measured.
    warm = dataclasses.replace(load, tokens=1, pace_seconds=0.0)
    connections: list[Streams] = []
    try:
        for _number in range(load.clients):
            connections.append(await asyncio.open_connection("127.0.0.1", route.port, ssl=route.context))
            await _ask(route, _request(route, warm), connections[-1], Seen())
        all_seen = await asyncio.gather(
            *[_client(route, load, number, streams) for number, streams in enumerate(connections)]
        )
    finally:
        for _reader, writer in connections:
            writer.close()
    rate = sum(load.requests * load.tokens / seen.seconds for seen in all_seen)
    return Figures(rate, statistics.median(first for seen in all_seen for first in seen.firsts) * 1000)


def run(route: Route, load: Load) -> Figures:
    """Drive one route with one load. Raises RuntimeError when a stream was refused or cut."""
    return asyncio.run(_run(route, load))
