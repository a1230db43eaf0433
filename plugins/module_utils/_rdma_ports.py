# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the ports of an RDMA device from /sys/class/infiniband/<device>/ports.

The texts are those of the kernel's drivers/infiniband/core/sysfs.c.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import names, number, text

#: A GID that is not set, as the kernel writes it.
_NO_GID = "0000:0000:0000:0000:0000:0000:0000:0000"


def word(said: str | None) -> str:
    """Return ACTIVE of "4: ACTIVE", "" for nothing."""
    return (said or "").partition(":")[2].strip()


def rate_gbps(said: str | None) -> float | None:
    """Return 400.0 of "400 Gb/sec (4X NDR)"."""
    match = re.match(r"(\d+(?:\.\d+)?) Gb/sec", said or "")
    return float(match[1]) if match else None


def gids(port: str) -> list[dict[str, t.Any]]:
    """Return [{index, gid, type, netdev}] of the GIDs that are set; types and netdevs of others cannot be read."""
    found = []
    for name in names(f"{port}/gids"):
        gid = text(f"{port}/gids/{name}")
        if gid and gid != _NO_GID:
            found.append(
                {
                    "index": int(name),
                    "gid": gid,
                    "type": text(f"{port}/gid_attrs/types/{name}") or "",
                    "netdev": text(f"{port}/gid_attrs/ndevs/{name}") or "",
                }
            )
    return found


def netdev(device: str, port: int, of_gids: list[dict[str, t.Any]]) -> str:
    """Return the network interface of a port: that of the function with its number, else that of its first GID.

    ``dev_port`` counts from 0. Soft-RoCE has no function; there the GID tells.
    """
    for name in names(f"{device}/device/net"):
        if number(text(f"{device}/device/net/{name}/dev_port")) == port - 1:
            return name
    return next((one["netdev"] for one in of_gids if one["netdev"]), "")


def ports(device: str) -> dict[str, dict[str, t.Any]]:
    """Return {number of the port: what sysfs says of it} of the device whose directory this is."""
    found = {}
    for name in names(f"{device}/ports"):
        base = os.path.join(device, "ports", name)
        of_gids = gids(base)
        rate = text(f"{base}/rate")
        found[name] = {
            "state": word(text(f"{base}/state")),
            "physical_state": word(text(f"{base}/phys_state")),
            "rate_gbps": rate_gbps(rate),
            "rate": rate or "",
            "link_layer": text(f"{base}/link_layer") or "",
            "lid": number(text(f"{base}/lid"), 0),
            "sm_lid": number(text(f"{base}/sm_lid"), 0),
            "netdev": netdev(device, int(name), of_gids) if name.isdigit() else "",
            "gids": of_gids,
        }
    return found
