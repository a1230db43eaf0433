# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which driver a card needs, by PCI device id: what must be known before NVML can be asked.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Sources, read on 2026-11-22: ids and names from DCGM 4.6.0 (``diag-skus.yaml``) and the open module's README (H20 and
B200 rows); least branches and module flavours from NVIDIA's driver installation guide (590 to 620), which says that
Blackwell and Grace need the open modules and that 580 is the last branch for Volta. ``None`` is not known, so not judged.
"""

from __future__ import annotations

import dataclasses

OPEN = "open"
PROPRIETARY = "proprietary"

#: How the GPUs of a node are joined. NVSwitch: the switches are PCI functions of the node, and Fabric Manager runs where
#: they are seen. NVLink 5: no switch on the PCI bus, Fabric Manager and NVLSM reach it through a ConnectX bridge.
#: Rack: Fabric Manager runs on the switch trays, the node runs IMEX.
NVSWITCH = "nvswitch"
NVLINK5 = "nvlink5"
RACK = "rack"
NONE = ""


@dataclasses.dataclass(frozen=True)
class Card:
    """What one kind of card needs of the driver."""

    name: str
    fabric: str = NONE
    flavours: tuple[str, ...] = (OPEN, PROPRIETARY)
    least_branch: int | None = None
    last_branch: int | None = None


def _hopper(name: str) -> Card:
    return Card(name, NVSWITCH, least_branch=525)


#: PCI device id → card.
CARDS: dict[str, Card] = {
    "1db1": Card("V100 SXM2 16 GB", NONE, (PROPRIETARY,), last_branch=580),
    "1db5": Card("V100 SXM2 32 GB", NONE, (PROPRIETARY,), last_branch=580),
    "1db6": Card("V100 PCIe 32 GB", NONE, (PROPRIETARY,), last_branch=580),
    "1eb8": Card("T4"),
    "20b0": Card("A100 SXM4 40 GB", NVSWITCH),
    "20b2": Card("A100 SXM4 80 GB", NVSWITCH),
    "20f1": Card("A100 PCIe 40 GB"),
    "20b5": Card("A100 PCIe 80 GB"),
    "20bd": Card("A800 SXM4 40 GB", NVSWITCH),
    "20f3": Card("A800 SXM4 80 GB", NVSWITCH),
    "2330": _hopper("H100 SXM5 80 GB"),
    "2331": Card("H100 PCIe", least_branch=525),
    "2321": Card("H100 NVL", least_branch=525),
    "2324": _hopper("H800 SXM5"),
    "2322": Card("H800 PCIe", least_branch=525),
    "2329": _hopper("H20 96 GB"),
    "2328": _hopper("H20B"),
    "232c": _hopper("H20-3e 141 GB"),
    "230c": _hopper("H20 NVL16"),
    "230e": _hopper("H20 NVL16"),
    "2335": _hopper("H200 SXM 141 GB"),
    "233b": Card("H200 NVL", least_branch=525),
    "2342": Card("GH200", NONE, (OPEN,), least_branch=535),
    "26b9": Card("L40S", least_branch=525),
    "26b5": Card("L40", least_branch=525),
    "26ba": Card("L20", least_branch=525),
    "27b8": Card("L4", least_branch=525),
    "2901": Card("B200", NVLINK5, (OPEN,), least_branch=570),
    "2909": Card("B200", NVLINK5, (OPEN,), least_branch=570),
    "2941": Card("GB200", RACK, (OPEN,), least_branch=570),
    "3182": Card("B300", NVLINK5, (OPEN,), least_branch=580),
    "31c2": Card("GB300", RACK, (OPEN,), least_branch=580),
    "31c3": Card("GB300", RACK, (OPEN,), least_branch=580),
}


def known(ids: list[str]) -> list[Card]:
    """Return the cards of these PCI device ids, each kind once; unknown ids are left out."""
    return [CARDS[one] for one in dict.fromkeys(ids) if one in CARDS]


def unknown(ids: list[str]) -> list[str]:
    """Return the PCI device ids that have no row, each once."""
    return [one for one in dict.fromkeys(ids) if one not in CARDS]
