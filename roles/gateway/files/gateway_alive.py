# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the gateway of this host whether it is alive: ``gateway_alive.py ADDRESS PORT``. Ends with 0 when it is."""

from __future__ import annotations

import http.client
import sys

SECONDS = 2.0


def alive(address: str, port: int) -> bool:
    """Return whether the gateway answers as it should within ``SECONDS``."""
    connection = http.client.HTTPConnection(address, port, timeout=SECONDS)
    try:
        connection.request("GET", "/alive")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if alive(sys.argv[1], int(sys.argv[2])) else 1)
