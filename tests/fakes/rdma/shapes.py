# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Healthy nodes with RDMA devices, as plain data: what hangs where, and what each card is.

A node is ``{"hcas": {name: HCA}, "gpus": {address: GPU}, "nets": {…}, …}``; an HCA has

``address``, ``ports_above`` (the bridges above it, root port first), ``root`` ("pci0000:15"), ``numa_node``, ``kind`` (a row
of ``CARDS``), ``layer``, ``rate``, ``netdev``, ``lid``, ``vf_of``.
"""

from __future__ import annotations

import typing as t

Data = dict[str, t.Any]

#: hca_type, board id (PSID), firmware and PCI device id of cards (verify.md 3.1).
CARDS: dict[str, Data] = {
    "cx7": {
        "hca_type": "MT4129",
        "board_id": "MT_0000000838",
        "fw_ver": "28.41.1000",
        "device": "1021",
        "speed": "32.0",
    },
    "cx7_vf": {
        "hca_type": "MT4130",
        "board_id": "MT_0000000838",
        "fw_ver": "28.41.1000",
        "device": "101e",
        "speed": "",
    },
    "cx6": {
        "hca_type": "MT4123",
        "board_id": "MT_0000000223",
        "fw_ver": "20.39.1002",
        "device": "101b",
        "speed": "16.0",
    },
    "cx6lx": {
        "hca_type": "MT4127",
        "board_id": "MT_0000000531",
        "fw_ver": "26.39.1002",
        "device": "101f",
        "speed": "16.0",
    },
}
NDR, HDR, ETHERNET_400, ETHERNET_50 = (
    "400 Gb/sec (4X NDR)",
    "200 Gb/sec (4X HDR)",
    "400 Gb/sec (4X NDR)",
    "50 Gb/sec (2X HDR)",
)


def hca(kind: str, address: str, above: t.Sequence[str], numa: int, rate: str, netdev: str, **more: t.Any) -> Data:
    return {
        "kind": kind,
        "address": address,
        "ports_above": list(above),
        "root": f"pci0000:{address[5:7]}" if not above else f"pci{above[0][:7]}",
        "numa_node": numa,
        "layer": "InfiniBand",
        "rate": rate,
        "netdev": netdev,
        "lid": 0,
        "vf_of": "",
        **more,
    }


def switch(base: int, slots: int) -> tuple[list[str], list[list[str]], list[str]]:
    """Return (addresses of leaves, bridges above each, all) of a PCIe switch whose root port is on this bus."""
    root = f"0000:{base:02x}:01.0"
    upstream = f"0000:{base + 1:02x}:00.0"
    downs = [f"0000:{base + 2:02x}:{slot:02x}.0" for slot in range(slots)]
    leaves = [f"0000:{base + 3 + slot:02x}:00.0" for slot in range(slots)]
    return leaves, [[root, upstream, down] for down in downs], [root, upstream, *downs]


def eight(layer: str = "InfiniBand", rate: str = NDR, names: str = "mlx5_{}", nets: str = "ib{}") -> Data:
    """Return eight GPUs and eight HCAs, one of each under each of eight PCIe switches."""
    hcas, gpus = {}, {}
    for index in range(8):
        leaves, above, _all = switch(0x10 + 0x10 * index, 2)
        numa = 0 if index < 4 else 1
        hcas[names.format(index)] = hca(
            "cx7", leaves[0], above[0], numa, rate, nets.format(index), layer=layer, lid=index + 10
        )
        gpus[leaves[1]] = {"ports_above": above[1], "root": f"pci{above[1][0][:7]}", "numa_node": numa}
    return {"hcas": hcas, "gpus": gpus}


def h20_site() -> Data:
    """Return the reference site: 8 GPUs, 4 × 400G compute, 2 × 200G storage, a bond of two Ethernet ports.

    Each compute HCA shares its switch with one of two GPUs (nccl issue 1357); storage hangs on ports of its own.
    """
    hcas, gpus, names = {}, {}, ("mlx5_0", "mlx5_1", "mlx5_4", "mlx5_5")
    for index, name in enumerate(names):
        leaves, above, _all = switch(0x10 + 0x10 * index, 2)
        numa = 0 if index < 2 else 1
        hcas[name] = hca("cx7", leaves[0], above[0], numa, NDR, f"ib{name[-1]}", lid=index + 20)
        gpus[leaves[1]] = {"ports_above": above[1], "root": f"pci{above[1][0][:7]}", "numa_node": numa}
        beside, over, _all = switch(0x50 + 0x10 * index, 1)
        gpus[beside[0]] = {"ports_above": over[0], "root": f"pci{over[0][0][:7]}", "numa_node": numa}
    for index, name in enumerate(("mlx5_2", "mlx5_3")):
        port = f"0000:{0xA0 + 0x10 * index:02x}:01.0"
        leaf = f"0000:{0xA1 + 0x10 * index:02x}:00.0"
        hcas[name] = hca("cx6", leaf, [port], index, HDR, f"ib{name[-1]}", lid=index + 40)
    hcas["mlx5_bond_0"] = hca(
        "cx6lx", "0000:c1:00.0", ["0000:c0:01.0"], 1, ETHERNET_50, "bond0", layer="Ethernet", functions=["eth0", "eth1"]
    )
    return {"hcas": hcas, "gpus": gpus, "bonds": {"bond0": ["eth0", "eth1"]}, "default_route": "bond0"}


def virtual_functions() -> Data:
    """Return two HCAs with two virtual functions each, and two GPUs."""
    node = eight()
    kept = dict(list(node["hcas"].items())[:2])
    for index, (name, one) in enumerate(list(kept.items())):
        for number in (1, 2):
            address = one["address"][:-1] + str(number)
            vf = {
                **one,
                "kind": "cx7_vf",
                "address": address,
                "vf_of": one["address"],
                "netdev": f"ib{name[-1]}v{number}",
            }
            kept[f"mlx5_{2 + 2 * index + number - 1}"] = vf
    return {"hcas": kept, "gpus": dict(list(node["gpus"].items())[:2])}


def guest() -> Data:
    """Return a virtual machine: two GPUs and two HCAs handed through to one flat bus without NUMA nodes."""
    hcas = {
        f"mlx5_{index}": hca("cx7", f"0000:00:0{5 + index}.0", [], -1, NDR, f"ib{index}", lid=index + 60)
        for index in range(2)
    }
    gpus = {f"0000:00:0{8 + index}.0": {"ports_above": [], "root": "pci0000:00", "numa_node": -1} for index in range(2)}
    return {"hcas": hcas, "gpus": gpus, "guest": True}


def soft() -> Data:
    """Return soft-RoCE over a plain Ethernet card, as recorded in a QEMU guest (verify.md 3.1)."""
    one: Data = {"kind": "", "address": "", "ports_above": [], "root": "", "numa_node": None, "vf_of": "", "lid": 0}
    return {
        "hcas": {"rxe0": {**one, "layer": "Ethernet", "rate": "2.5 Gb/sec (1X SDR)", "netdev": "eth0"}},
        "gpus": {},
        "default_route": "eth0",
    }


PROFILES: dict[str, Data] = {
    "h100x8": eight(),
    "named": eight(names="ibp{}s0", nets="ibp{}s0"),
    "h20x8": h20_site(),
    "roce": eight(layer="Ethernet", rate=ETHERNET_400, nets="eth{}"),
    "vfs": virtual_functions(),
    "guest": guest(),
    "rxe": soft(),
    "none": {"hcas": {}, "gpus": {}},
}
