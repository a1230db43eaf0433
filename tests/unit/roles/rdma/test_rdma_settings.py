# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program of the boot unit, on fake sysfs trees whose configuration spaces it writes."""

from __future__ import annotations

import json
import os
import pathlib
import struct
import subprocess
import sys

import pytest
import rdma_settings

from tests.fakes.rdma import tree

PROGRAM = pathlib.Path(__file__).parents[4] / "roles/rdma/files/rdma_settings.py"

#: Of the shape h100x8: the first switch, root port, upstream and downstream ports, and the HCA below it.
ROOT_PORT, UPSTREAM, DOWN = "0000:10:01.0", "0000:11:00.0", "0000:12:00.0"
HCA = "0000:13:00.0"


def acs(root: pathlib.Path, address: str) -> int:
    """Return the ACS control word of a bridge, found as a test should: by itself."""
    space = (root / f"sys/bus/pci/devices/{address}/config").read_bytes()
    at = 0x100
    while at:
        (header,) = struct.unpack_from("<I", space, at)
        if header & 0xFFFF == 0x0D:
            return int(struct.unpack_from("<H", space, at + 6)[0])
        at = header >> 20
    raise AssertionError(f"{address} has no ACS")


def read_request(root: pathlib.Path, address: str) -> tuple[int, int]:
    """Return (bytes per read request, the other bits of the control word)."""
    space = (root / f"sys/bus/pci/devices/{address}/config").read_bytes()
    at = space[0x34]
    while space[at] != 0x10:
        at = space[at + 1]
    (word,) = struct.unpack_from("<H", space, at + 8)
    return 128 << (word >> 12 & 7), word & 0x8FFF


def test_acs_goes_off_on_every_bridge_above_gpus_and_hcas(tmp_path: pathlib.Path) -> None:
    tree.make_host(tmp_path, "h100x8", config={ROOT_PORT: {"acs": 0x1D}, DOWN: {"acs": 0x5D}})
    done, refused = rdma_settings.apply(str(tmp_path), {"acs_disabled": True})
    assert refused == []
    assert done == [f"{ROOT_PORT}: ACS 0x001d -> 0x0000", f"{DOWN}: ACS 0x005d -> 0x0000"]
    assert (acs(tmp_path, ROOT_PORT), acs(tmp_path, DOWN)) == (0, 0)
    assert rdma_settings.apply(str(tmp_path), {"acs_disabled": True}) == ([], [])


def test_bridges_of_others_are_left_alone(tmp_path: pathlib.Path) -> None:
    tree.make_host(tmp_path, "h100x8")
    found = rdma_settings.bridges(str(tmp_path))
    assert {ROOT_PORT, UPSTREAM, DOWN} <= set(found)
    assert HCA not in found


def test_read_requests_change_nothing_else(tmp_path: pathlib.Path) -> None:
    tree.make_host(tmp_path, "h100x8", config={HCA: {"max_read_request": 512}})
    size, others = read_request(tmp_path, HCA)
    assert size == 512
    done, refused = rdma_settings.apply(str(tmp_path), {"max_read_request_bytes": 4096})
    assert refused == []
    assert done == [f"{HCA}: read requests 512 -> 4096 bytes"]
    assert read_request(tmp_path, HCA) == (4096, others)
    assert rdma_settings.apply(str(tmp_path), {"max_read_request_bytes": 4096}) == ([], [])


def test_soft_roce_has_no_registers(tmp_path: pathlib.Path) -> None:
    tree.make_host(tmp_path, "rxe")
    assert rdma_settings.apply(str(tmp_path), {"max_read_request_bytes": 4096, "acs_disabled": True}) == ([], [])


@pytest.mark.parametrize(
    ("space", "found"),
    [
        (b"", 0),
        (b"\xff" * 256, 0),
        # A list that leads back to itself.
        (bytes(0x34) + b"\x40" + bytes(0x0B) + b"\x05\x40" + bytes(190), 0),
        (bytes(0x34) + b"\x40" + bytes(0x0B) + b"\x05\x50" + bytes(14) + b"\x10\x00" + bytes(174), 0x50),
    ],
)
def test_capabilities_of_sick_devices_end(space: bytes, found: int) -> None:
    assert rdma_settings.capability(space, 0x10) == found


@pytest.mark.parametrize(
    ("space", "found"),
    [
        (bytes(256), 0),
        (b"\xff" * 4096, 0),
        (bytes(256) + struct.pack("<I", 0x10 | 0x100 << 20) + bytes(3836), 0),
        (bytes(256) + struct.pack("<I", 0x01 | 0x140 << 20) + bytes(60) + struct.pack("<I", 0x0D) + bytes(3772), 0x140),
    ],
)
def test_extended_capabilities_of_sick_devices_end(space: bytes, found: int) -> None:
    assert rdma_settings.extended_capability(space, 0x0D) == found


def test_a_card_without_a_readable_register_is_told(tmp_path: pathlib.Path) -> None:
    tree.make_host(tmp_path, "h100x8")
    config = tmp_path / f"sys/bus/pci/devices/{HCA}/config"
    config.write_bytes(config.read_bytes()[:64])
    _done, [told] = rdma_settings.apply(str(tmp_path), {"max_read_request_bytes": 4096})
    assert told == f"{HCA}: no PCI Express capability can be read; run this as root"


def test_a_register_that_does_not_take_the_value_is_told(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.make_host(tmp_path, "h100x8", config={ROOT_PORT: {"acs": 0x1D}})
    before = rdma_settings.configuration(str(tmp_path), ROOT_PORT)
    real = rdma_settings.configuration
    monkeypatch.setattr(rdma_settings, "configuration", lambda root, at: before if at == ROOT_PORT else real(root, at))
    done, [told] = rdma_settings.apply(str(tmp_path), {"acs_disabled": True})
    assert done == []
    assert "0x0000 was written" in told and "it reads 0x001d" in told


def test_a_kernel_in_lockdown_is_told_and_the_rest_goes_on(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_arguments: object) -> None:
        raise rdma_settings.Refused("Secure Boot")

    tree.make_host(tmp_path, "h100x8", config={HCA: {"max_read_request": 512}})
    monkeypatch.setattr(rdma_settings, "disable_acs", locked)
    done, refused = rdma_settings.apply(str(tmp_path), {"acs_disabled": True, "max_read_request_bytes": 4096})
    assert refused == ["Secure Boot"]
    assert len(done) == 1


def test_a_file_that_cannot_be_written_says_why(tmp_path: pathlib.Path) -> None:
    with pytest.raises(rdma_settings.Refused, match="Secure Boot"):
        rdma_settings.write_word(str(tmp_path), HCA, 0x100, 0)


@pytest.mark.parametrize(
    ("tool", "trust", "priorities", "commands"),
    [
        ("mlnx_qos", "dscp", [3], ["mlnx_qos -i eth0 --trust=dscp", "mlnx_qos -i eth0 --pfc=0,0,0,1,0,0,0,0"]),
        ("mlnx_qos", "keep", [], []),
        ("dcb", "keep", [3, 4], ["dcb pfc set dev eth0 prio-pfc 0:off 1:off 2:off 3:on 4:on 5:off 6:off 7:off"]),
        ("dcb", "pcp", [], ["dcb app flush dev eth0 dscp-prio"]),
    ],
)
def test_commands_of_roce(tool: str, trust: str, priorities: list[int], commands: list[str]) -> None:
    found = rdma_settings.roce_commands("eth0", trust, priorities, tool)
    assert [" ".join(command) for command in found] == commands


def test_dcb_gets_the_whole_table_of_dscp() -> None:
    [command] = rdma_settings.roce_commands("eth0", "dscp", [], "dcb")
    assert command[:6] == ["dcb", "app", "replace", "dev", "eth0", "dscp-prio"]
    assert command[6:] == [f"{dscp}:{dscp // 8}" for dscp in range(64)]


def tool(directory: pathlib.Path, text: str) -> None:
    path = directory / "mlnx_qos"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(("text", "refused"), [("exit 0", []), ("echo no such device >&2; exit 2", ["no such device"])])
def test_interfaces_of_the_chosen_hcas_are_set(
    text: str, refused: list[str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.make_host(tmp_path / "root", "roce")
    (tmp_path / "bin").mkdir()
    tool(tmp_path / "bin", f'echo "$@" >> {tmp_path}/log\n{text}')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    wishes = {"hcas": ["mlx5_1", "mlx5_2"], "roce": {"trust": "dscp", "pfc_priorities": []}}
    done, told = rdma_settings.apply(str(tmp_path / "root"), wishes)
    assert [one for one in refused if one not in "".join(told)] == []
    assert bool(told) is bool(refused)
    asked = ["-i eth1 --trust=dscp", "-i eth2 --trust=dscp"][: 1 if refused else 2]
    assert (tmp_path / "log").read_text().splitlines() == asked
    assert len(done) == (0 if refused else 2)


def test_without_a_tool_it_says_which(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    _done, [told] = rdma_settings.apply(str(tmp_path), {"hcas": [], "roce": {"trust": "dscp", "pfc_priorities": []}})
    assert told.startswith("neither mlnx_qos nor dcb is installed")


def test_it_runs_as_the_unit_runs_it(tmp_path: pathlib.Path) -> None:
    wishes = tmp_path / "rdma.json"
    wishes.write_text(json.dumps({"hcas": []}))
    ended = subprocess.run([sys.executable, str(PROGRAM), str(wishes)], capture_output=True, text=True, check=True)
    assert ended.stdout == "everything is set already\n"


def test_an_hca_that_does_not_appear_is_no_success(tmp_path: pathlib.Path) -> None:
    tree.make_host(tmp_path, "h100x8", config={HCA: {"max_read_request": 512}})
    wishes = {"max_read_request_bytes": 4096, "hcas": ["mlx5_0", "mlx5_9"]}
    done, refused = rdma_settings.apply(str(tmp_path), wishes, 0)
    assert f"{HCA}: read requests 512 -> 4096 bytes" in done
    assert refused == ["mlx5_9: there is no such RDMA device, so nothing was set for it"]
