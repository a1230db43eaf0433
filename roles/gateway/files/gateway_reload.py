# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reload HAProxy and see that a new worker serves: ``gateway_reload.py MASTER_PID SOCKET [SECONDS]``. Ends with 0 when it does.

``haproxy -c`` does not bind: with a port that another service has, the reload fails, and the old worker goes on with old keys.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time

SECONDS = 10.0
#: For one answer.
ANSWER_SECONDS = 2.0


def worker(path: str) -> str:
    """Return the process id of the worker behind HAProxy's socket; empty when it does not say."""
    try:
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(ANSWER_SECONDS)
            admin.connect(path)
            admin.sendall(b"show info\n")
            text = b""
            while True:
                piece = admin.recv(65536)
                if not piece:
                    break
                text += piece
    except OSError:
        return ""
    found = re.search(rb"^Pid: ([0-9]+)", text, re.MULTILINE)
    return found.group(1).decode() if found else ""


def reload(master: int, path: str, seconds: float = SECONDS) -> str:
    """Ask the master for a new worker, and return what is wrong; empty when there is one within ``seconds``."""
    old = worker(path)
    os.kill(master, signal.SIGUSR2)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        new = worker(path)
        if new not in ("", old):
            return ""
        time.sleep(0.1)
    return "HAProxy kept the old configuration; its own lines above say why: journalctl -u gpufleet-gateway"


if __name__ == "__main__":
    sys.exit(reload(int(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:])) or 0)
