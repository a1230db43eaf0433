# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``node_facts`` says of RDMA on nodes of several shapes, for the tables of the tests."""

from __future__ import annotations

import typing as t

Data = dict[str, t.Any]

#: 10.0.0.1 as RoCE writes it, and an address of IPv6.
IPV4 = "0000:0000:0000:0000:0000:ffff:0a00:0001"
IPV6 = "2001:0db8:0000:0000:0000:0000:0000:0001"
LINK_LOCAL = "fe80:0000:0000:0000:0a00:27ff:fe00:0001"


def port(**more: t.Any) -> Data:
    """Return an active port of 400 Gb/s."""
    one = {
        "state": "ACTIVE",
        "physical_state": "LinkUp",
        "rate_gbps": 400.0,
        "rate": "400 Gb/sec (4X NDR)",
        "link_layer": "InfiniBand",
        "lid": 7,
        "sm_lid": 1,
        "netdev": "",
        "gids": [{"index": 0, "gid": "fe80:0000:0000:0000:b83f:d203:00ba:0001", "type": "IB/RoCE v1", "netdev": ""}],
    }
    return {**one, **more}


def roce(*addresses: str, **more: t.Any) -> Data:
    """Return an Ethernet port whose RoCE v2 GIDs are these, at every odd index."""
    gids = [
        {"index": 2 * at + 1, "gid": gid, "type": "RoCE v2", "netdev": "eth0"}
        for at, gid in enumerate(addresses or (LINK_LOCAL, IPV4))
    ]
    return port(**{"link_layer": "Ethernet", "lid": None, "sm_lid": None, "gids": gids, **more})


def hca(path: t.Sequence[str], numa: int | None = 0, ports: Data | None = None, **more: t.Any) -> Data:
    """Return an HCA at the end of that path; without a path it is software."""
    one = {
        "address": path[-1] if path else "",
        "path": list(path),
        "vendor": "15b3",
        "device": "1021",
        "driver": "mlx5_core",
        "numa_node": numa,
        "virtual_function": False,
        "firmware": "28.41.1000",
        "board_id": "MT_0000000838",
        "hca_type": "MT4129",
        "node_guid": "",
        "netdevs": [],
        "pcie": {"speed_gts": 32.0, "width": 16, "max_speed_gts": 32.0, "max_width": 16},
        "ports": ports or {"1": port()},
    }
    return {**one, **more}


def below_switch(bus: int, slot: int) -> list[str]:
    """Return the path of a device in a slot of the PCIe switch whose root port is on that bus."""
    return [
        f"pci0000:{bus:02x}",
        f"0000:{bus:02x}:01.0",
        f"0000:{bus + 1:02x}:00.0",
        f"0000:{bus + 2:02x}:{slot:02x}.0",
        f"0000:{bus + 3 + slot:02x}:00.0",
    ]


def below_root_port(bus: int) -> list[str]:
    """Return the path of a device on a root port of its own."""
    return [f"pci0000:{bus:02x}", f"0000:{bus:02x}:01.0", f"0000:{bus + 1:02x}:00.0"]


def gpu(path: t.Sequence[str], numa: int | None = 0) -> Data:
    """Return a GPU at the end of that path."""
    return {"path": list(path), "numa_node": numa}


def rdma(hcas: Data, gpus: t.Iterable[Data] = (), **more: t.Any) -> Data:
    """Return the facts of a node."""
    return {
        "hcas": hcas,
        "gpus": {one["path"][-1]: one for one in gpus},
        "default_route": "eth9",
        "below_default_route": [],
        "bonds": {},
        **more,
    }


def pairs(count: int = 2, **changed: Data) -> Data:
    """Return a node with an HCA and a GPU under each of so many switches, half of them per socket."""
    numa = [0 if at < count / 2 else 1 for at in range(count)]
    hcas = {f"mlx5_{at}": hca(below_switch(0x10 * (at + 1), 0), numa[at]) for at in range(count)}
    gpus = [gpu(below_switch(0x10 * (at + 1), 1), numa[at]) for at in range(count)]
    return rdma({**hcas, **changed}, gpus)


def reference_site() -> Data:
    """Return 8 GPUs, 4 × 400G near to every other GPU, 2 × 200G storage and a bond with the default route."""
    node = pairs(4)
    storage = {"1": port(rate_gbps=200.0)}
    for at in range(4):
        other = gpu(below_switch(0x50 + 0x10 * at, 1), 0 if at < 2 else 1)
        node["gpus"][other["path"][-1]] = other
    node["hcas"]["mlx5_4"] = hca(below_root_port(0xA0), 0, storage, hca_type="MT4123", board_id="MT_0000000223")
    node["hcas"]["mlx5_5"] = hca(below_root_port(0xB0), 1, storage, hca_type="MT4123", board_id="MT_0000000223")
    bond = {"1": roce(rate_gbps=50.0, netdev="bond0")}
    node["hcas"]["mlx5_bond_0"] = hca(below_root_port(0xC0), 1, bond, hca_type="MT4127", netdevs=["eth0", "eth1"])
    return {**node, "default_route": "bond0", "bonds": {"bond0": ["eth0", "eth1"]}}


def guest(devices: int = 2) -> Data:
    """Return a guest: all on one flat bus, no NUMA node."""
    hcas = {f"mlx5_{at}": hca(["pci0000:00", f"0000:00:0{5 + at}.0"], -1) for at in range(devices)}
    return rdma(hcas, [gpu(["pci0000:00", f"0000:00:0{8 + at}.0"], -1) for at in range(devices)])


def soft() -> Data:
    """Return soft-RoCE, as recorded in a QEMU guest."""
    one = {"1": roce(IPV4, rate_gbps=2.5, netdev="eth0")}
    return rdma(
        {"rxe0": hca([], None, one, vendor="", device="", driver="", hca_type="", board_id="", netdevs=["eth0"])}
    )
