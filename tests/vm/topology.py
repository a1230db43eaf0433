# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guest with PCIe switches on two NUMA nodes: distances and ACS from the kernel's own paths and registers.

::

    node 0  host bridge ─┬─ root port ─ switch ─┬─ GPU   PIX to the near NIC
                         │                      ├─ NIC   "near"
                         │                      └─ switch ─ GPU   PXB
                         └─ root port ─ GPU   PHB
    node 1  host bridge ─── root port ─ GPU   NODE to the far NIC, SYS to the near one
            host bridge ─── root port ─ NIC   "far"

QEMU's test device stands for a GPU, and an Ethernet card for an HCA: they have a place and nothing else.
"""

from __future__ import annotations

from tests.vm import ansible, image
from tests.vm.guest import Guest, Shape, free_port

#: What each device is plugged into; identifiers are free, chassis and slots are numbered as QEMU demands.
TREE = (
    ("pxb-pcie,id=bridge0,bus_nr=32,numa_node=0", "pcie.0"),
    ("pxb-pcie,id=bridge1,bus_nr=64,numa_node=1", "pcie.0"),
    ("pxb-pcie,id=bridge2,bus_nr=96,numa_node=1", "pcie.0"),
    ("pcie-root-port,id=root0,chassis=1", "bridge0"),
    ("pcie-root-port,id=root1,chassis=2", "bridge0"),
    ("pcie-root-port,id=root2,chassis=3", "bridge1"),
    ("pcie-root-port,id=root3,chassis=4", "bridge2"),
    ("x3130-upstream,id=switch0", "root0"),
    ("xio3130-downstream,id=down0,chassis=5", "switch0"),
    ("xio3130-downstream,id=down1,chassis=6", "switch0"),
    ("xio3130-downstream,id=down2,chassis=7", "switch0"),
    ("x3130-upstream,id=switch1", "down2"),
    ("xio3130-downstream,id=down3,chassis=8", "switch1"),
    ("pci-testdev", "down0"),
    ("e1000e,romfile=", "down1"),
    ("pci-testdev", "down3"),
    ("pci-testdev", "root1"),
    ("pci-testdev", "root2"),
    ("e1000e,romfile=", "root3"),
)
MEGABYTES = 768


def devices() -> tuple[str, ...]:
    """Return QEMU's arguments for two NUMA nodes and the tree; each device takes the next slot of its bus."""
    words: list[str] = []
    for node in (0, 1):
        words += ["-object", f"memory-backend-ram,id=memory{node},size={MEGABYTES // 2}M"]
        words += ["-numa", f"node,nodeid={node},memdev=memory{node},cpus={node}"]
    taken: dict[str, int] = {}
    for device, bus in TREE:
        # The root complex has devices of the machine in its first slots.
        taken[bus] = taken.get(bus, 15 if bus == "pcie.0" else -1) + 1
        words += ["-device", f"{device},bus={bus},addr=0x{taken[bus]:x}"]
    return tuple(words)


def prove() -> None:
    """Bring the guest up, run the playbook, remove it."""
    image.build()
    # Nobody is at the other end of the cable: soft-RoCE has to have an interface.
    cable = f"listen=127.0.0.1:{free_port()}"
    shape = Shape("tree", 1, cable, processors=2, megabytes=MEGABYTES, machine="q35", more=devices())
    with Guest(shape) as guest:
        guest.wait_for_ssh()
        ansible.play(ansible.PLAYBOOKS / "topology.yml", ansible.inventory("topology", [guest]))
