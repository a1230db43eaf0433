# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for an engine that streams as fast as asked: ``python -m benchmarks.gateway_stub PORT``.

The body of a request says how: ``max_tokens``, and ``pace_seconds`` between tokens (0: flat out). It costs little CPU, so that what is
measured is what stands before it.
"""

from __future__ import annotations

import asyncio
import json
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
PIECE = b'data: {"choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}]}\n\n'
CHUNK = b"%x\r\n%s\r\n" % (len(PIECE), PIECE)
END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
ONE = b'{"choices":[{"message":{"content":"x"}}],"usage":{"completion_tokens":1}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(ONE), ONE)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            _, _, rest = head.partition(b"content-length:")
            length = int(rest.split(b"\r\n", 1)[0]) if rest else 0
            request = json.loads(await reader.readexactly(length)) if length else {}
            if request.get("stream"):
                writer.write(HEAD)
                for _token in range(request["max_tokens"]):
                    writer.write(CHUNK)
                    await writer.drain()
                    # Also flat out each token is a write of its own, as an engine sends it.
                    await asyncio.sleep(request["pace_seconds"])
                writer.write(END)
            else:
                writer.write(ANSWER)
            await writer.drain()
            if b"connection: close" in head:
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
