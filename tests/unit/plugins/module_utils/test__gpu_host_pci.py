# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_host_pci
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from tests.fakes.gpu_host import PROFILES, answering, make_root

FIRST = "0000:1b:00.0"


def read(root: pathlib.Path, profile: str = "h20x8", **changes: t.Any) -> dict[str, t.Any]:
    make_root(root, profile, **changes)
    return _gpu_host_pci.read_pci(Host(root=str(root), run=answering(root)))


def test_a_gpu_of_a_healthy_board(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path)["gpus"][0] == {
        "pci": FIRST,
        "class": "0302",
        "device_id": "2329",
        "subsystem_id": "198b10de",
        "driver": "nvidia",
        "numa_node": 0,
        "revision": "a1",
        "link_speed_gts": 32.0,
        "link_speed_max_gts": 32.0,
        "link_width": 16,
        "link_width_max": 16,
        "link_partner_speed_max_gts": 32.0,
        "link_partner_width_max": 16,
        "aer": {"fatal": 0, "nonfatal": 0, "correctable": 0},
    }


@pytest.mark.parametrize(
    ("profile", "gpus", "switches", "bridges"),
    [
        ("h20x8", 8, ["22a3"] * 4, []),
        ("a100x8", 8, ["1af1"] * 6, []),
        ("b200x8", 8, [], ["0000:05:00.0", "0000:05:00.1"]),
        ("h200x2_guest", 2, [], []),
    ],
)
def test_boards(tmp_path: pathlib.Path, profile: str, gpus: int, switches: list[str], bridges: list[str]) -> None:
    found = read(tmp_path, profile)
    assert [one["pci"] for one in found["gpus"]] == sorted(PROFILES[profile]["addresses"])
    assert len(found["gpus"]) == gpus
    assert [one["device_id"] for one in found["nvswitches"]] == switches
    assert found["nvlink5_bridges"] == {"pci": bridges, "problem": ""}


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ({"revision": "ff"}, "revision", "ff"),
        ({"current_link_width": "8"}, "link_width", 8),
        ({"current_link_width": "255"}, "link_width", None),
        ({"current_link_speed": "8.0 GT/s PCIe"}, "link_speed_gts", 8.0),
        ({"current_link_speed": "Unknown"}, "link_speed_gts", None),
        ({"max_link_speed": "64.0 GT/s PCIe"}, "link_speed_max_gts", 64.0),
        ({"driver": None}, "driver", ""),
        ({"driver": "vfio-pci"}, "driver", "vfio-pci"),
        ({"numa_node": None}, "numa_node", None),
        ({"numa_node": "-1"}, "numa_node", -1),
        ({"aer_dev_fatal": "DLP 1\nTOTAL_ERR_FATAL 3"}, "aer", {"fatal": 3, "nonfatal": 0, "correctable": 0}),
        ({"aer_dev_correctable": None}, "aer", None),
    ],
)
def test_one_changed_function(tmp_path: pathlib.Path, change: dict[str, t.Any], key: str, value: t.Any) -> None:
    assert read(tmp_path, functions={FIRST: change})["gpus"][0][key] == value


def test_a_card_off_the_bus(tmp_path: pathlib.Path) -> None:
    assert FIRST not in [one["pci"] for one in read(tmp_path, functions={FIRST: None})["gpus"]]


def test_a_guest_has_no_port_above(tmp_path: pathlib.Path) -> None:
    first = read(tmp_path, "h200x2_guest")["gpus"][0]
    assert (first["link_partner_speed_max_gts"], first["link_partner_width_max"]) == (None, None)


def test_a_configuration_space_that_nobody_may_read(tmp_path: pathlib.Path) -> None:
    make_root(tmp_path, "h20x8")
    config = tmp_path / "sys/bus/pci/devices" / FIRST / "config"
    config.write_bytes(b"\xde\x10")  # what is left to a plain user
    assert _gpu_host_pci.revision(Host(root=str(tmp_path)), f"/sys/bus/pci/devices/{FIRST}") is None
    config.unlink()
    assert _gpu_host_pci.revision(Host(root=str(tmp_path)), f"/sys/bus/pci/devices/{FIRST}") is None


def test_no_bus_is_not_no_gpu(tmp_path: pathlib.Path) -> None:
    found = _gpu_host_pci.read_pci(Host(root=str(tmp_path)))
    assert (found["gpus"], found["nvswitches"], found["nvlink5_bridges"]["pci"]) == (None, None, None)
    assert found["nvlink5_bridges"]["problem"] == "/sys/bus/pci/devices: No such file or directory"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(1, "", "", "grep returned 1: "), {"pci": [], "problem": ""}),
        (
            Outcome(None, "", "", "grep did not answer within 5 s"),
            {"pci": [], "problem": "grep did not answer within 5 s"},
        ),
    ],
)
def test_bridges_that_do_not_answer(outcome: Outcome, expected: t.Any) -> None:
    host = Host(run=lambda argv, timeout_seconds: outcome)
    assert _gpu_host_pci.bridges(host, ["0000:05:00.0"]) == expected


def test_a_network_card_is_no_bridge(tmp_path: pathlib.Path) -> None:
    plain = {"rc": 1, "stdout": ""}
    assert read(tmp_path, "b200x8", answers={"grep": plain})["nvlink5_bridges"] == {"pci": [], "problem": ""}


def test_virtual_functions_are_not_asked(tmp_path: pathlib.Path) -> None:
    make_root(tmp_path, "b200x8")
    (tmp_path / "sys/bus/pci/devices/0000:05:00.1/physfn").symlink_to("../0000:05:00.0")
    asked: list[str] = []

    def run(argv: t.Sequence[str], timeout_seconds: float) -> Outcome:
        asked.extend(argv)
        return Outcome(1, "", "", "")

    _gpu_host_pci.read_pci(Host(root=str(tmp_path), run=run))
    assert asked[-1] == "/sys/bus/pci/devices/0000:05:00.0/vpd"


def test_the_real_bus() -> None:
    found = _gpu_host_pci.read_pci(Host())
    assert found["gpus"] is None or all(one["device_id"] for one in found["gpus"])
