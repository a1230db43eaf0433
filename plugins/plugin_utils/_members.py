# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of a fleet as members: which address, which interface, how many GPUs.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Member:
    """One node with the address by which the others reach it.

    ``ray_gpus`` are the numbers of those GPUs that the ledger leaves to Ray, None where it leaves all. ``raise_limits`` is
    false where containers cannot get higher limits than the node has (no CAP_SYS_RESOURCE).
    """

    name: str
    address: str
    interface: str
    gpus: int
    raise_limits: bool = True
    listening: tuple[tuple[str, int], ...] = ()
    ray_gpus: tuple[int, ...] | None = None

    @property
    def for_ray(self) -> tuple[int, ...]:
        """Numbers of Ray's GPUs."""
        return tuple(range(self.gpus)) if self.ray_gpus is None else self.ray_gpus


def member(
    name: str,
    node: t.Mapping[str, t.Any],
    address: str | None = None,
    interface: str | None = None,
    gpus: int | None = None,
) -> tuple[Member | None, list[str]]:
    """Return (member, mistakes) of a node.

    ``node`` is what node_facts read. ``address`` and ``interface`` are declared ones; without them the interface of the
    default route is taken, and its first IPv4 address. ``gpus`` declared (the lab's logical ones) wins over those seen.
    """
    mistakes: list[str] = []
    interfaces: t.Mapping[str, t.Any] = node.get("interfaces", {})
    if interface and interface not in interfaces:
        mistakes.append(
            f"ray_cluster_interface of {name}: the node has no {interface!r}, it has {', '.join(sorted(interfaces))}"
        )
    if address and address not in node.get("addresses", []):
        mistakes.append(
            f"ray_cluster_address of {name}: the node does not have {address}, "
            f"it has {', '.join(node.get('addresses', [])) or 'none'}"
        )
    if not mistakes and address and interface and address not in interfaces[interface]["addresses"]:
        mistakes.append(f"ray_cluster_address of {name}: {address} is not on {interface}; declare one of the two")
    if mistakes:
        return None, mistakes
    if address:
        interface = next(key for key, one in interfaces.items() if address in one["addresses"])
    interface = interface or node.get("default_interface")
    if not interface:
        return None, [f"ray_cluster_interface of {name}: the node has no default route; name the interface to use"]
    address = address or next((one for one in interfaces[interface]["addresses"] if ":" not in one), None)
    if not address:
        return None, [f"ray_cluster_interface of {name}: {interface} has no IPv4 address; name another, or an address"]
    listening = tuple((one["address"], int(one["port"])) for one in node.get("listening", []))
    found = len(node.get("gpus", [])) if gpus is None else gpus
    return Member(name, address, interface, found, bool(node.get("can_raise_limits", True)), listening), []
