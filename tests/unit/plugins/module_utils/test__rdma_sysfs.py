# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node_facts says of RDMA devices, on every shape of node that we know."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _rdma_sysfs
from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import natural
from tests.fakes.rdma.shapes import PROFILES
from tests.fakes.rdma.tree import make_host

Facts = dict[str, t.Any]


def read(root: pathlib.Path, profile: str, **changes: t.Any) -> Facts:
    make_host(root, profile, **changes)
    return _rdma_sysfs.read(str(root))


def test_an_hca_behind_a_switch(tmp_path: pathlib.Path) -> None:
    found = read(tmp_path, "h100x8")["hcas"]["mlx5_0"]
    assert {key: value for key, value in found.items() if key != "ports"} == {
        "address": "0000:13:00.0",
        "path": ["pci0000:10", "0000:10:01.0", "0000:11:00.0", "0000:12:00.0", "0000:13:00.0"],
        "vendor": "15b3",
        "device": "1021",
        "driver": "mlx5_core",
        "numa_node": 0,
        "virtual_function": False,
        "firmware": "28.41.1000",
        "board_id": "MT_0000000838",
        "hca_type": "MT4129",
        "node_guid": "a088:c203:0000:0001",
        "netdevs": ["ib0"],
        "pcie": {"speed_gts": 32.0, "width": 16, "max_speed_gts": 32.0, "max_width": 16},
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_all_devices_and_gpus_are_found(tmp_path: pathlib.Path, profile: str) -> None:
    found = read(tmp_path, profile)
    assert list(found["hcas"]) == sorted(PROFILES[profile]["hcas"], key=natural)
    assert sorted(found["gpus"]) == sorted(PROFILES[profile]["gpus"])
    for name, one in found["hcas"].items():
        assert one["address"] == PROFILES[profile]["hcas"][name]["address"]
        assert (one["path"] or [""])[-1] == one["address"]


def test_gpu_and_hca_share_their_switch(tmp_path: pathlib.Path) -> None:
    found = read(tmp_path, "h20x8")
    near = found["gpus"]["0000:14:00.0"]["path"]
    assert near[:3] == found["hcas"]["mlx5_0"]["path"][:3]
    assert found["gpus"]["0000:14:00.0"]["numa_node"] == 0


def test_the_bond_of_the_reference_site(tmp_path: pathlib.Path) -> None:
    found = read(tmp_path, "h20x8")
    assert (found["bonds"], found["default_route"]) == ({"bond0": ["eth0", "eth1"]}, "bond0")
    assert found["hcas"]["mlx5_bond_0"]["netdevs"] == ["eth0"]
    assert {gid["netdev"] for gid in found["hcas"]["mlx5_bond_0"]["ports"]["1"]["gids"]} == {"bond0"}


def test_virtual_functions_are_known(tmp_path: pathlib.Path) -> None:
    found = read(tmp_path, "vfs")["hcas"]
    assert [name for name, one in found.items() if one["virtual_function"]] == ["mlx5_2", "mlx5_3", "mlx5_4", "mlx5_5"]
    assert found["mlx5_2"]["pcie"] == dict.fromkeys(("speed_gts", "width", "max_speed_gts", "max_width"))


def test_soft_roce_lacks_what_a_card_has(tmp_path: pathlib.Path) -> None:
    found = read(tmp_path, "rxe")["hcas"]["rxe0"]
    empty = ("address", "vendor", "device", "driver", "firmware", "board_id", "hca_type")
    assert {found[key] for key in empty} == {""}
    assert (found["path"], found["numa_node"], found["netdevs"]) == ([], None, ["eth0"])


def test_a_node_without_devices_is_asked_nothing(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_args: t.Any) -> t.NoReturn:
        raise AssertionError("nothing more may be read")

    make_host(tmp_path, "none")
    monkeypatch.setattr(_rdma_sysfs, "gpus", asked)
    monkeypatch.setattr(_rdma_sysfs, "bonds", asked)
    assert _rdma_sysfs.read(str(tmp_path)) == {
        "hcas": {},
        "gpus": {},
        "default_route": "",
        "below_default_route": [],
        "bonds": {},
    }


def test_other_cards_can_stand_for_gpus(tmp_path: pathlib.Path) -> None:
    make_host(tmp_path, "h100x8")
    found = _rdma_sysfs.read(str(tmp_path), vendor="0x15b3", classes=("0207",))
    assert sorted(found["gpus"]) == sorted(one["address"] for one in PROFILES["h100x8"]["hcas"].values())


def test_what_the_default_route_lies_on(tmp_path: pathlib.Path) -> None:
    # A bridge on a VLAN on a bond of two cards, as the kernel links them; a loop must not hang.
    net = tmp_path / "sys/class/net"
    on = {"br0": ["bond0.7"], "bond0.7": ["bond0"], "bond0": ["eth0", "eth1"], "eth0": [], "eth1": ["br0"]}
    for name, lower in on.items():
        (net / name).mkdir(parents=True)
        (net / name / "upper_other").touch()
        for one in lower:
            (net / name / f"lower_{one}").symlink_to(f"../{one}")
    assert _rdma_sysfs.below_interface(str(tmp_path), "bond0.7") == ["bond0", "bond0.7", "br0", "eth0", "eth1"]
    assert _rdma_sysfs.below_interface(str(tmp_path), "eth0") == []
    assert _rdma_sysfs.below_interface(str(tmp_path), "gone") == []
