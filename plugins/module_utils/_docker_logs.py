# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log of a container, bounded: its beginning, where causes stand, and its end.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_socket

#: How much of the beginning is read, and how many lines of the end.
HEAD_BYTES = 512 * 1024
TAIL_LINES = 2000
TAIL_BYTES = 2 * 1024 * 1024

#: Docker puts eight bytes before each piece: 1 or 2 for the stream, three zeros, and the length.
FRAME = re.compile(rb"[\x01\x02]\x00\x00\x00(.{4})", re.DOTALL)


def unframed(raw: bytes) -> bytes:
    """Return the text in Docker's stream of frames; a stream that was cut off ends with what is there."""
    pieces: list[bytes] = []
    at = 0
    while at < len(raw):
        frame = FRAME.match(raw, at)
        if not frame:  # the container has a terminal: there are no frames
            return raw if at == 0 else b"".join(pieces)
        length = int.from_bytes(frame[1], "big")
        pieces.append(raw[frame.end() : frame.end() + length])
        at = frame.end() + length
    return b"".join(pieces)


def joined(head: str, tail: str) -> str:
    """Return head and tail of a log without what is in both; ``…`` stands where lines are left out.

    Lines begin with Docker's time stamps, which make each of them unique.
    """
    head_lines, tail_lines = head.splitlines(), tail.splitlines()
    if not tail_lines:
        return head
    if tail_lines[0] in head_lines:
        return "\n".join(head_lines[: head_lines.index(tail_lines[0])] + tail_lines)
    # The last line of the head may be cut off.
    return "\n".join([*head_lines[:-1], "…", *tail_lines])


def read(container: str, timeout_seconds: float = 20.0) -> tuple[str, str]:
    """Return (log with time stamps, why it could not be read). A container that does not exist has an empty log."""
    path = f"/containers/{container}/logs?stdout=1&stderr=1&timestamps=1"
    texts = []
    try:
        for query, limit in (("", HEAD_BYTES), (f"&tail={TAIL_LINES}", TAIL_BYTES)):
            status, raw = _docker_socket.get_bytes(path + query, limit, timeout_seconds)
            if status != 200:
                return "", "" if status == 404 else f"Docker answered {status} for the log of {container}"
            texts.append(unframed(raw).decode("utf-8", "replace"))
    except _docker_socket.DockerUnreachable as error:
        return "", str(error)
    return joined(*texts), ""
