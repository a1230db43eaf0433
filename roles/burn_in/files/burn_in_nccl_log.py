# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what NCCL says that it does: ``NCCL_DEBUG=INFO`` with the subsystems INIT, NET, GRAPH and TUNING."""

from __future__ import annotations

import re

#: Numbers of nccl.h's algorithms, as NCCL before 2.20 logs them.
NAMES = ("Tree", "Ring", "CollNetDirect", "CollNetChain", "NVLS", "NVLSTree", "PAT")

_CHOICE = re.compile(r"(?:AllReduce: )?(\d+) Bytes -> Algo (\w+) proto (\w+)")


def algorithms(log: str) -> dict[int, str]:
    """Return {message bytes: algorithm} of the all-reduces in a log; the last word on a size counts."""
    found: dict[int, str] = {}
    for line in log.splitlines():
        match = _CHOICE.search(line)
        if match and ("AllReduce" in line or "Reduce" not in line):
            found[int(match.group(1))] = _name(match.group(2))
    return found


def _name(written: str) -> str:
    if written.isdigit():
        return NAMES[int(written)] if int(written) < len(NAMES) else written
    plain = written.replace("_", "").lower()
    return next((name for name in NAMES if name.lower() == plain), written)


def transports(log: str) -> list[str]:
    """Return by what the channels are connected, such as ``P2P/CUMEM`` or ``NET/IB/0/GDRDMA``, without numbers, sorted."""
    return sorted({re.sub(r"/\d+(?=/|$)", "", one) for one in re.findall(r" via ((?:P2P|SHM|NET)[\w/]*)", log)})
