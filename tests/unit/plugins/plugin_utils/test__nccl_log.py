# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NCCL's lines, in the forms of its releases; names and addresses of hosts are ours.

Where a form was seen: NVIDIA/nccl issues 676 (2.7, hexadecimal bus ids), 1052 (2.18, RoCE), 1510 and 1537 (2.21, GPUDirect
disabled), 1866 (2.27); siderolabs/docs issue 566 (2.28.9); NVIDIA/nccl-tests issue 188 (no device, socket). The proxy of another
rank in brackets, "(PCI)" and "/Shared": src/transport/net.cc of 2.28. IBext and "NCCL RDMA Plugin": NVIDIA's RDMA plugin.
"""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _nccl_log

INFO = "gpu1:155:1240 [0] NCCL INFO "


def host(*lines: str) -> dict[str, t.Any]:
    found: dict[str, t.Any] = _nccl_log.parse("\n".join(INFO + line for line in lines))["hosts"]["gpu1"]
    return found


@pytest.mark.parametrize(
    ("line", "channel"),
    [
        ("Channel 00/0 : 0[0] -> 8[0] [send] via NET/IB/0/GDRDMA", ("IB", 0, True)),
        ("Channel 00/0 : 8[0] -> 0[0] [receive] via NET/IB/3/GDRDMA", ("IB", 3, True)),
        ("Channel 01/0 : 1[1] -> 9[1] [send] via NET/IB/2", ("IB", 2, False)),
        ("Channel 01/0 : 1[1] -> 9[1] [send] via NET/IB/2(3)/GDRDMA", ("IB", 2, True)),
        ("Channel 01/1 : 1[1] -> 9[1] [send] via NET/IB/2/GDRDMA/Shared", ("IB", 2, True)),
        ("Channel 01/1 : 1[1] -> 9[1] [send] via NET/IB/2/GDRDMA(PCI)", ("IB", 2, True)),
        ("Channel 01/1 : 1[1] -> 9[1] [send] via NET/IB/2/Shared", ("IB", 2, False)),
        ("Channel 00 : 2[c7000] -> 0[87000] [receive] via NET/IB/5/GDRDMA", ("IB", 5, True)),
        ("Channel 00/0 : 0[0] -> 1[0] [send] via NET/IBext_v8/0/GDRDMA", ("IBext_v8", 0, True)),
        (
            "Channel 01/0 : 9[1] -> 1[1] [receive] via NET/NCCL RDMA Plugin v8/1/GDRDMA",
            ("NCCL RDMA Plugin v8", 1, True),
        ),
        ("Channel 00/0 : 0[0] -> 1[0] [send] via NET/Socket/0", ("Socket", 0, False)),
        ("Channel 00/0 : 0[0] -> 1[0] [send] via NET/AWS Libfabric/0/GDRDMA", ("AWS Libfabric", 0, True)),
        ("Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM", ("P2P/CUMEM", -1, False)),
        ("Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM/read", ("P2P/CUMEM/read", -1, False)),
        ("Channel 00/0 : 0[0] -> 1[1] via SHM/direct/direct", ("SHM/direct/direct", -1, False)),
        ("Ring 00 : 0[1a000] -> 1[3d000] [send] via NET/Socket/0", ("Socket", 0, False)),
    ],
)
def test_what_a_channel_goes_by(line: str, channel: tuple[str, int, bool]) -> None:
    assert host(line)["channels"] == {channel: 1}


@pytest.mark.parametrize(
    ("line", "hcas", "layers"),
    [
        (
            "NET/IB : Using [0]mlx5_0:1/IB [1]mlx5_3:1/IB [RO]; OOB eth0:10.0.0.1<0>",
            {0: ["mlx5_0"], 1: ["mlx5_3"]},
            ["IB"],
        ),
        ("NET/IB : Using [0]mlx5_4:1/RoCE [RO]; OOB bond0:10.0.0.1<0>", {0: ["mlx5_4"]}, ["RoCE"]),
        ("NET/IB : Using [0]mlx5_0:1/IB ; OOB ib0:10.0.0.1<0>", {0: ["mlx5_0"]}, ["IB"]),
        (
            "NET/IB : Using [0]mlx5_0:1/IB [1]mlx5_4:1/RoCE [RO]; OOB eth0:10.0.0.1<0>",
            {0: ["mlx5_0"], 1: ["mlx5_4"]},
            ["IB", "RoCE"],
        ),
        ("NET/IB : Using [0]ibp26s0:1/IB [RO]; OOB eth0:10.0.0.1<0>", {0: ["ibp26s0"]}, ["IB"]),
        # 2.30 may give rail and plane.
        (
            "NET/IB : Using [0]mlx5_0:1:0:1/IB [1]mlx5_1:1/IB [RO]; OOB eth0:10.0.0.1<0>",
            {0: ["mlx5_0"], 1: ["mlx5_1"]},
            ["IB"],
        ),
        ("NET/IB : Made virtual device [2] name=mlx5_0+mlx5_1 speed=800000 ndevs=2", {2: ["mlx5_0", "mlx5_1"]}, []),
    ],
)
def test_which_hcas_it_found(line: str, hcas: dict[int, list[str]], layers: list[str]) -> None:
    found = host(line)
    assert (found["hcas"], found["link_layers"]) == (hcas, layers)


def test_other_facts() -> None:
    found = host("NCCL_IB_HCA set to =mlx5_0:1,mlx5_3:1", "NET/IB : No device found.", "Using network Socket")
    assert (found["asked"], found["no_device"], found["network"]) == ("=mlx5_0:1,mlx5_3:1", True, "Socket")


@pytest.mark.parametrize("line", ["NCCL version 2.28.9+cuda13.0", INFO + "NCCL version 2.28.9+cuda13.0"])
def test_the_version(line: str) -> None:
    assert _nccl_log.parse(line)["version"] == "2.28.9"


def test_hosts_are_told_apart_and_channels_counted() -> None:
    line = "NCCL INFO Channel 00/0 : 0[0] -> 8[0] [send] via NET/IB/0/GDRDMA"
    found = _nccl_log.parse(f"gpu1:1:2 [0] {line}\ngpu1:1:3 [1] {line}\ngpu2:1:2 [0] {line}\n")
    assert {name: one["channels"] for name, one in found["hosts"].items()} == {
        "gpu1": {("IB", 0, True): 2},
        "gpu2": {("IB", 0, True): 1},
    }


def test_warnings_are_kept_once() -> None:
    warning = "gpu1:155:1240 [0] transport/net_ib.cc:1295 NCCL WARN NET/IB : Got completion with error 12, opcode 0, len 0, vendor err 129"
    timed = f"[2026-11-22 13:20:01] {warning}"
    assert _nccl_log.parse(f"{warning}\n{timed}")["warnings"] == [warning.split("WARN ")[1]]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "some program's own line via NET/IB/0/GDRDMA",
        # What could be used is not what is used.
        INFO + "NET/IB : GPU Direct RDMA Enabled for HCA 0 'mlx5_0'",
        INFO + "NET/IB : GPU Direct RDMA (DMABUF) enabled for HCA 0 'mlx5_0",
        INFO + "Channel 00/16 :    0  1  2  3  4  5  6  7",
        INFO + "Connected all rings",
    ],
)
def test_lines_that_tell_no_path(line: str) -> None:
    assert all(not one["channels"] and not one["hcas"] for one in _nccl_log.parse(line)["hosts"].values())


@pytest.mark.parametrize(
    ("name", "rdma"),
    [("IB", True), ("IBext_v8", True), ("NCCL RDMA Plugin v10", True), ("Socket", False), ("AWS Libfabric", False)],
)
def test_what_is_rdma(name: str, rdma: bool) -> None:
    assert _nccl_log.is_rdma(name) is rdma
