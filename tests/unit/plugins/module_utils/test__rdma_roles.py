# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _rdma_roles, _rdma_sysfs
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_profile import profile
from tests.fakes.rdma.tree import make_host

SITE = ["mlx5_0", "mlx5_1", "mlx5_4", "mlx5_5"]
EIGHT = [f"mlx5_{number}" for number in range(8)]
#: What a dead port of a 400G card shows.
DEAD = {"state": "1: DOWN", "rate": "10 Gb/sec (4X SDR)"}


@pytest.mark.parametrize(
    ("shape", "change", "expect", "chosen"),
    [
        ("h100x8", {}, {}, EIGHT),
        ("h20x8", {}, {}, SITE),
        ("h20x8", {}, {"rate_gbps": 200}, ["mlx5_2", "mlx5_3"]),
        ("h20x8", {}, {"hcas": ["mlx5_4", "mlx5_9"]}, ["mlx5_4"]),
        ("h20x8", {}, {"link_layer": "Ethernet"}, []),  # the bond carries the default route
        ("h20x8", {"port": {"mlx5_4": DEAD}}, {}, SITE),  # a dead one is known by its card
        (
            "h20x8",
            {"port": dict.fromkeys(SITE, DEAD)},
            {"rate_gbps": 400},
            [*SITE[:2], "mlx5_2", "mlx5_3", *SITE[2:]],
        ),
        ("h20x8", {"port": dict.fromkeys(SITE, DEAD)}, {"storage_hcas": ["mlx5_2", "mlx5_3"]}, SITE),
        ("h100x8", {"port": {"mlx5_4": {"link_layer": None}}}, {}, EIGHT),
        ("roce", {}, {}, EIGHT),
        ("vfs", {}, {}, ["mlx5_0", "mlx5_1"]),
        ("rxe", {}, {}, []),
        ("rxe", {}, {"hcas": ["rxe0"]}, ["rxe0"]),
        ("none", {}, {"hcas": 4}, []),
    ],
)
def test_hcas_for_gpus(tmp_path: pathlib.Path, shape: str, change: t.Any, expect: t.Any, chosen: list[str]) -> None:
    make_host(tmp_path, shape, **change)
    assert _rdma_roles.compute(_rdma_sysfs.read(str(tmp_path)), profile(expect)) == chosen


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ("h100x8", {}),
        ("h20x8", {"mlx5_bond_0": "carries the default route by bond0"}),
        ("rxe", {"rxe0": "carries the default route by eth0"}),
        ("vfs", {f"mlx5_{number}": "a virtual function" for number in range(2, 6)}),
    ],
)
def test_left_out(tmp_path: pathlib.Path, shape: str, why: dict[str, str]) -> None:
    make_host(tmp_path, shape)
    assert _rdma_roles.left_out(_rdma_sysfs.read(str(tmp_path))) == why


def test_members_of_a_bond_are_left_out(tmp_path: pathlib.Path) -> None:
    make_host(tmp_path, "roce", files={"/sys/class/net/bond7/bonding/slaves": "eth2 eth3"})
    assert set(_rdma_roles.left_out(_rdma_sysfs.read(str(tmp_path)))) == {"mlx5_2", "mlx5_3"}


def test_a_default_route_over_a_vlan_leaves_the_card_below_out(tmp_path: pathlib.Path) -> None:
    route = "Iface Destination Gateway Flags RefCnt Use Metric Mask\nbr0 00000000 01004D0A 0003 0 0 0 00000000"
    lower = {"/sys/class/net/br0/lower_eth5.100": "", "/sys/class/net/eth5.100/lower_eth5": ""}
    make_host(tmp_path, "roce", files={**lower, "/proc/net/route": route})
    assert _rdma_roles.left_out(_rdma_sysfs.read(str(tmp_path))) == {"mlx5_5": "carries the default route by br0"}
