# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gateway_pair

INTERFACES = {"eth0": {"addresses": ["10.0.0.2"]}, "lo": {"addresses": ["127.0.0.1"]}}
GOOD: dict[str, t.Any] = {
    "floating": "10.0.0.9",
    "peers": ["10.0.0.1", "10.0.0.2"],
    "interface": "eth0",
    "interfaces": INTERFACES,
    "address": None,
}


def test_a_gateway_alone() -> None:
    assert _gateway_pair.pair(**{**GOOD, "floating": None, "peers": []}) == ({}, [])


def test_two() -> None:
    found, mistakes = _gateway_pair.pair(**GOOD)
    assert mistakes == []
    assert found == {"interface": "eth0", "own": "10.0.0.2", "others": ["10.0.0.1"], "priority": 100}


def test_the_first_is_preferred() -> None:
    found, _mistakes = _gateway_pair.pair(**{**GOOD, "peers": ["10.0.0.2", "10.0.0.1"]})
    assert found["priority"] == 150


@pytest.mark.parametrize(
    ("wishes", "mistake"),
    [
        ({"floating": None}, "gateway_floating_address: is missing"),
        ({"floating": "10.0.0.9/24"}, "without a prefix length"),
        ({"floating": "2001:db8::9"}, "must be an IPv4 address"),
        ({"floating": "10.0.0.1"}, "is the address of a host"),
        ({"address": "10.0.0.2"}, "gateway_address: 10.0.0.2 leaves the floating address out"),
        ({"peers": ["10.0.0.2"]}, "of two hosts, not of 1"),
        ({"peers": ["10.0.0.1", "10.0.0.3"]}, "must be an address of eth0"),
        ({"interface": "eth7"}, "gateway_floating_interface: eth7 is none of eth0, lo"),
    ],
)
def test_mistakes(wishes: dict[str, t.Any], mistake: str) -> None:
    found, mistakes = _gateway_pair.pair(**{**GOOD, **wishes})
    assert found == {}
    assert len(mistakes) == 1
    assert mistake in mistakes[0]


def test_the_floating_address_may_be_listened_on() -> None:
    assert _gateway_pair.pair(**{**GOOD, "address": "10.0.0.9"})[1] == []
