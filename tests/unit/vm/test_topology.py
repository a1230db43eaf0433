# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree of PCIe switches as QEMU is told of it."""

from __future__ import annotations

import re

from tests.vm import topology


def test_every_device_has_a_slot_of_its_own_on_a_bus_that_was_made_before() -> None:
    words = topology.devices()
    told = [words[at + 1] for at, word in enumerate(words) if word == "-device"]
    assert len(told) == len(topology.TREE)
    buses, slots = {"pcie.0"}, set()
    for text in told:
        device = re.fullmatch(r"(?:\S*?)(?:,id=(\w+))?(?:,\S*?)?,bus=([\w.]+),addr=(0x\w+)", text)
        assert device, text
        assert device[2] in buses, text
        assert (device[2], device[3]) not in slots, text
        slots.add((device[2], device[3]))
        buses.add(device[1])


def test_each_numa_node_has_memory_and_a_processor() -> None:
    said = " ".join(topology.devices())
    for node in (0, 1):
        assert f"id=memory{node},size=384M" in said
        assert f"node,nodeid={node},memdev=memory{node},cpus={node}" in said
