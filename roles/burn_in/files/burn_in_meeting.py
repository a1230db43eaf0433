# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of a fabric test meet before their cards do: one that does not come is named, instead of a timeout of NCCL's.

The first node listens; each other one says its name and waits for the word. All end by the given monotonic time.
"""

from __future__ import annotations

import socket
import time
import typing as t

#: Between two attempts to find the host.
PAUSE_SECONDS = 0.5


def host(port: int, others: t.Sequence[str], until: float) -> str:
    """Wait for the others and give them the word. Return who is missing as a sentence, or an empty string."""
    waiting: dict[str, socket.socket] = {}
    with socket.create_server(("", port), backlog=256) as listener:
        while set(others) - set(waiting) and time.monotonic() < until:
            listener.settimeout(max(0.1, until - time.monotonic()))
            try:
                one, _address = listener.accept()
                name = _line(one, until)
            except OSError:
                continue
            if name in others:
                waiting[name] = one
            else:
                one.close()
    missing = [name for name in others if name not in waiting]
    problem = f"{', '.join(missing)} did not come in time" if missing else ""
    for one in waiting.values():
        with one:
            try:
                one.sendall(f"{problem or 'go'}\n".encode())
            except OSError:
                continue
    return problem


def guest(address: str, port: int, name: str, until: float) -> str:
    """Go to the host and wait for the word. Return what is wrong as a sentence, or an empty string."""
    said = f"nobody listens at {address}:{port}"
    while time.monotonic() < until:
        try:
            with socket.create_connection((address, port), timeout=max(0.1, until - time.monotonic())) as one:
                one.sendall(f"{name}\n".encode())
                word = _line(one, until)
        except OSError as why:
            said = f"{address}:{port} is out of reach: {why}"
            time.sleep(min(PAUSE_SECONDS, max(0.0, until - time.monotonic())))
            continue
        if word:
            return "" if word == "go" else word
        said = f"{address}:{port} ended without a word"
    return said


def _line(one: socket.socket, until: float) -> str:
    """Return the line that comes, without its end; what came until then when the other side ends. Raises OSError."""
    got = b""
    while not got.endswith(b"\n") and len(got) < 4096:
        one.settimeout(max(0.1, until - time.monotonic()))
        piece = one.recv(4096)
        if not piece:
            break
        got += piece
    return got.decode("utf-8", errors="replace").strip()
