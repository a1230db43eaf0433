# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_topology import (
    affinity,
    distance,
    is_visible,
    nearest,
)
from tests.unit.plugins.plugin_utils.rdma_samples import below_root_port, below_switch, gpu

SHARED = ["pci0000:10", "0000:10:01.0", "0000:11:00.0", "0000:12:00.0"]
#: Below a second switch in a slot of the first one.
CASCADED = [*SHARED, "0000:13:00.0", "0000:14:00.0", "0000:15:00.0"]
#: Two ports of one root complex.
FIRST, SECOND = ["pci0000:20", "0000:20:01.0", "0000:21:00.0"], ["pci0000:20", "0000:20:03.0", "0000:22:00.0"]
#: True kernel paths of a QEMU q35 guest with an x3130 switch (2026-11-21).
QEMU = ["pci0000:00", "0000:00:04.0", "0000:01:00.0"]


def at(path: t.Sequence[str], numa: int | None = 0) -> dict[str, t.Any]:
    return gpu(path, numa)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (at(below_switch(0x10, 0)), at(below_switch(0x10, 1)), "PIX"),
        (at([*QEMU, "0000:02:00.0", "0000:03:00.0"]), at([*QEMU, "0000:02:01.0", "0000:04:00.0"]), "PIX"),
        # Functions of one card, below one port.
        (at([*SHARED, "0000:13:00.0"]), at([*SHARED, "0000:13:00.1"]), "PIX"),
        (at(below_switch(0x10, 3)), at(CASCADED), "PXB"),
        (at(CASCADED), at([*SHARED[:3], "0000:12:05.0", "0000:30:00.0", "0000:31:00.0", "0000:32:00.0"]), "PXB"),
        (at(FIRST), at(SECOND), "PHB"),
        (at(below_switch(0x10, 0), 1), at(below_root_port(0x40), 1), "NODE"),
        (at(below_switch(0x10, 0), 0), at(below_root_port(0x40), 1), "SYS"),
        (at(below_switch(0x10, 0), -1), at(below_root_port(0x40), -1), "SYS"),
        (at(below_switch(0x10, 0), None), at(below_root_port(0x40), None), "SYS"),
        (at(["pci0000:00", "0000:00:05.0"], -1), at(["pci0000:00", "0000:00:08.0"], -1), "PHB"),
        (at(below_switch(0x10, 0)), {"path": [], "numa_node": None}, ""),
    ],
)
def test_distances(one: dict[str, t.Any], other: dict[str, t.Any], wanted: str) -> None:
    assert distance(one, other) == wanted
    assert distance(other, one) == wanted


@pytest.mark.parametrize(
    ("gpus", "hcas", "wanted"),
    [
        ([at(below_switch(0x10, 0), -1)], [at(below_switch(0x10, 1), -1)], True),
        ([at(below_root_port(0x10), 0)], [at(below_root_port(0x40), 0)], True),
        ([at(below_root_port(0x10), -1)], [at(below_root_port(0x40), -1)], False),
        ([at(["pci0000:00", "0000:00:05.0"], -1)], [at(["pci0000:00", "0000:00:06.0"], -1)], False),
        # A guest with one virtual NUMA node still has a flat bus.
        ([at(["pci0000:00", "0000:00:05.0"], 0)], [at(["pci0000:00", "0000:00:06.0"], 0)], False),
    ],
)
def test_whether_paths_say_anything(gpus: list[t.Any], hcas: list[t.Any], wanted: bool) -> None:
    assert is_visible(dict(enumerate(gpus)), dict(enumerate(hcas))) is wanted  # type: ignore[arg-type]


def test_the_nearest_of_each_gpu() -> None:
    hcas = {"a": at(below_switch(0x10, 0)), "b": at(below_root_port(0x40)), "c": at(below_root_port(0x60), 1)}
    gpus = {
        "0": at(below_switch(0x10, 1)),
        "1": at(below_root_port(0x80), 1),
        "2": at(below_root_port(0x90)),
        "3": at([]),
    }
    assert nearest(gpus, hcas) == {"0": (["a"], "PIX"), "1": (["c"], "NODE"), "2": (["a", "b"], "NODE")}


def test_equals_are_shared_evenly() -> None:
    near = {"2": (["a", "b"], "NODE"), "0": (["a"], "PIX"), "1": (["a", "b"], "NODE")}
    assert {gpu: one["hca"] for gpu, one in affinity(near).items()} == {"0": "a", "1": "b", "2": "a"}
