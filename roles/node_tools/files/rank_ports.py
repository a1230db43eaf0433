# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Whether the ports of a rank are free before it starts, and who has one that is not.

An engine that finds its port taken says so after it has loaded the model, and SGLang hangs.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import re
import socket
import typing as t

#: TCP_LISTEN in /proc/net/tcp, include/net/tcp_states.h.
LISTENING = "0A"


def taken(ports: t.Sequence[dict[str, t.Any]]) -> str:
    """Return which of ``[{address, port}]`` somebody listens on, and who; empty when all are free."""
    for one in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            # What a predecessor's connections left behind is no listener.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((one["address"], one["port"]))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    owners = ", ".join(sorted(owners_of(one["port"]))) or "somebody"
                    return f"{one['address']}:{one['port']}: Address already in use, by {owners}"
                return f"{one['address']}:{one['port']} cannot be listened on: {error.strerror}"
    return ""


def owners_of(port: int) -> set[str]:
    """Return "name (process id)" of those that listen on a port; what cannot be read is left out."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                    inodes.add(words[9])
    found = set()
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and inodes & sockets_of(entry):
                found.add(f"{(entry / 'comm').read_text().strip()} ({entry.name})")
    return found


def sockets_of(process: pathlib.Path) -> set[str]:
    """Return the inodes of a process's sockets, given its folder under /proc. Raises OSError."""
    links = []
    for one in (process / "fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(os.readlink(one))
    return {match[1] for link in links if (match := re.fullmatch(r"socket:\[(\d+)\]", link))}
