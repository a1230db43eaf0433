# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell the HCAs that carry the traffic of GPUs from storage, bonds, management and virtual functions.

A declared list wins. Otherwise: what is of the wished kind of link and rate, and whatever is the same card, since a dead
port tells no rate.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_profile import Profile

Hcas = t.Mapping[str, t.Mapping[str, t.Any]]


def interfaces(one: t.Mapping[str, t.Any]) -> set[str]:
    """Return all network interfaces that this device is known by."""
    ports = list(one["ports"].values())
    named = {port["netdev"] for port in ports} | {gid["netdev"] for port in ports for gid in port["gids"]}
    return (named | set(one["netdevs"])) - {""}


def layers(one: t.Mapping[str, t.Any]) -> set[str]:
    return {port["link_layer"] for port in one["ports"].values()} - {""}


def live_rates(one: t.Mapping[str, t.Any]) -> set[float]:
    """Return the rates of active ports; a port that is down shows some other one."""
    return {
        port["rate_gbps"]
        for port in one["ports"].values()
        if port["state"] == "ACTIVE" and port["rate_gbps"] is not None
    }


def card(one: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Return what makes two HCAs the same card."""
    return (one["device"], one["hca_type"], one["board_id"])


def left_out(rdma: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return {HCA: why} of those that cannot be for GPUs whatever their link is."""
    bonded = {member: bond for bond, members in rdma["bonds"].items() for member in [bond, *members]}
    found = {}
    for name, one in rdma["hcas"].items():
        own = interfaces(one)
        if one["virtual_function"]:
            found[name] = "a virtual function"
        elif rdma["default_route"] in own or own & set(rdma["below_default_route"]) - set(bonded):
            found[name] = f"carries the default route by {rdma['default_route']}"
        elif own & set(bonded):
            found[name] = f"belongs to {bonded[min(own & set(bonded))]}"
    return found


def compute(rdma: t.Mapping[str, t.Any], profile: Profile) -> list[str]:
    """Return the names of the HCAs for GPUs that are there, declared or found."""
    hcas: Hcas = rdma["hcas"]
    if isinstance(profile.hcas, tuple):
        return [name for name in profile.hcas if name in hcas]
    storage = profile.storage_hcas if isinstance(profile.storage_hcas, tuple) else ()
    fit = {name: one for name, one in hcas.items() if name not in left_out(rdma) and name not in storage}
    layer = profile.link_layer or (
        "InfiniBand" if any("InfiniBand" in layers(one) for one in fit.values()) else "Ethernet"
    )
    # A port that says no layer is a suspect, not a stranger.
    fit = {name: one for name, one in fit.items() if layer in layers(one) or not layers(one)}
    rate = profile.rate_gbps or max((rate for one in fit.values() for rate in live_rates(one)), default=None)
    cards = {card(one) for one in fit.values() if rate in live_rates(one)}
    return [name for name, one in fit.items() if not cards or card(one) in cards]
