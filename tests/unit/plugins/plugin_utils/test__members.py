# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which address, interface and GPUs a node takes part with."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._members import Member, member

NODE: dict[str, t.Any] = {
    "interfaces": {
        "lo": {"addresses": ["127.0.0.1"]},
        "eth0": {"addresses": ["fe80::1", "192.0.2.1", "192.0.2.2"]},
        "bond0": {"addresses": ["10.0.0.1"]},
        "ib0": {"addresses": ["fe80::2"]},
    },
    "addresses": ["10.0.0.1", "127.0.0.1", "192.0.2.1", "192.0.2.2", "fe80::1", "fe80::2"],
    "default_interface": "eth0",
    "gpus": [{"pci": "0000:01:00.0", "device": "2329"}] * 8,
    "listening": [{"address": "0.0.0.0", "port": 22}],
}


def me(address: str, interface: str, gpus: int, raise_limits: bool = True) -> Member:
    return Member("n", address, interface, gpus, raise_limits, (("0.0.0.0", 22),))


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({}, me("192.0.2.1", "eth0", 8)),
        ({"interface": "bond0"}, me("10.0.0.1", "bond0", 8)),
        ({"address": "10.0.0.1"}, me("10.0.0.1", "bond0", 8)),
        ({"address": "192.0.2.2"}, me("192.0.2.2", "eth0", 8)),
        ({"address": "192.0.2.2", "interface": "eth0"}, me("192.0.2.2", "eth0", 8)),
        ({"gpus": 2}, me("192.0.2.1", "eth0", 2)),
        ({"gpus": 0}, me("192.0.2.1", "eth0", 0)),
    ],
)
def test_a_member(declared: dict[str, t.Any], expected: Member) -> None:
    assert member("n", NODE, **declared) == (expected, [])


@pytest.mark.parametrize(
    ("node", "declared", "expected"),
    [
        (
            NODE,
            {"interface": "eth9"},
            "ray_cluster_interface of n: the node has no 'eth9', it has bond0, eth0, ib0, lo",
        ),
        (NODE, {"address": "10.9.9.9"}, "ray_cluster_address of n: the node does not have 10.9.9.9, it has 10.0.0.1"),
        ({}, {"address": "10.9.9.9"}, "ray_cluster_address of n: the node does not have 10.9.9.9, it has none"),
        (
            NODE,
            {"interface": "ib0"},
            "ray_cluster_interface of n: ib0 has no IPv4 address; name another, or an address",
        ),
        (
            NODE,
            {"address": "10.0.0.1", "interface": "eth0"},
            "ray_cluster_address of n: 10.0.0.1 is not on eth0; declare one of the two",
        ),
        (
            {**NODE, "default_interface": None},
            {},
            "ray_cluster_interface of n: the node has no default route; name the interface to use",
        ),
        ({}, {}, "ray_cluster_interface of n: the node has no default route; name the interface to use"),
    ],
)
def test_a_mistake(node: dict[str, t.Any], declared: dict[str, t.Any], expected: str) -> None:
    nobody, [mistake] = member("n", node, **declared)
    assert nobody is None
    assert mistake.startswith(expected)


@pytest.mark.parametrize("can", [True, False])
def test_a_node_that_may_not_raise_limits(can: bool) -> None:
    assert member("n", {**NODE, "can_raise_limits": can}) == (me("192.0.2.1", "eth0", 8, can), [])


def test_both_declarations_may_be_wrong_at_once() -> None:
    nobody, mistakes = member("n", NODE, "10.9.9.9", "eth9")
    assert (nobody, len(mistakes)) == (None, 2)


def test_a_declared_interface_needs_no_default_route() -> None:
    one, mistakes = member("n", {**NODE, "default_interface": None}, interface="bond0")
    assert (one and one.address, mistakes) == ("10.0.0.1", [])
