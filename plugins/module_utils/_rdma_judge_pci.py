# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of how HCAs hang on PCIe: link, read requests, redirection by ACS, address translation, IOMMU.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._pci_config import ACS_REDIRECT
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_common import (
    Bad,
    Finding,
    Judged,
    Node,
    Skip,
    over,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import ADDRESS
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, WARN

_NO_CARD = "no HCA here is a PCI function"
_CONFIG = "/sys/bus/pci/devices/*/config"


def _cards(node: Node) -> dict[str, t.Mapping[str, t.Any]]:
    """Return {name: HCA} of those that are PCI functions of their own; links of virtual ones say nothing."""
    return {name: one for name, one in node.hcas.items() if one["address"] and not one["virtual_function"]}


def _soft(node: Node) -> bool:
    return bool(node.hcas) and not _cards(node)


def link(node: Node) -> Judged:
    """HCAs do not lower their link at rest, so anything less than the best is a fault."""
    if _soft(node):
        return Skip(_NO_CARD)

    def judge(_name: str, pcie: t.Mapping[str, t.Any]) -> Bad | None:
        if None in pcie.values():
            return Bad(NOT_VERIFIED, "could not be read")
        if pcie["width"] < pcie["max_width"]:
            return Bad(FAIL, f"x{pcie['width']} of x{pcie['max_width']}")
        if pcie["speed_gts"] < pcie["max_speed_gts"]:
            return Bad(FAIL, f"{pcie['speed_gts']} of {pcie['max_speed_gts']} GT/s")
        return None

    remedy = "Reseat the card; look at slot, riser and the BIOS setting of the slot."
    source = "/sys/bus/pci/devices/*/current_link_{speed,width}"
    return over(
        {name: one["pcie"] for name, one in _cards(node).items()}, judge, "the card's best", remedy, source, "the best"
    )


def _settings(node: Node, key: str) -> dict[str, t.Any]:
    """Return {HCA: a setting of its configuration space}."""
    return {name: node.read["config"].get(one["address"], {}).get(key) for name, one in _cards(node).items()}


def max_read_request(node: Node) -> Judged:
    if _soft(node):
        return Skip(_NO_CARD)
    least = int(node.profile.max_read_request)
    remedy = (
        "Set rdma_max_read_request_bytes, or set it at each boot with setpci -s ADDRESS CAP_EXP+8.w, bits 14:12 (0x5 is 4096); "
        "read it as root."
    )
    return over(
        _settings(node, "max_read_request"),
        lambda _name, value: None if value >= least else Bad(WARN, value),
        f"at least {least}",
        remedy,
        _CONFIG,
    )


def acs(node: Node) -> Judged:
    """On bare metal ACS sends traffic between GPU and HCA up to the root; virtual machines need it to be kept apart."""
    source = "/proc/cpuinfo" if node.guest is None else _CONFIG
    if node.profile.acs == "any":
        return Skip("expect.acs is any")
    if not node.gpus:
        return Skip("there is no NVIDIA GPU here")
    if _soft(node):
        return Skip(_NO_CARD)
    if node.guest:
        return Skip("it belongs to the machine around this guest, which needs it")
    if node.guest is None:
        return Finding(
            NOT_VERIFIED, "nobody knows whether this is a virtual machine", "off", "Set acs in expect.", source
        )
    paths = [one["path"] for one in [*_cards(node).values(), *node.gpus.values()]]
    bridges = sorted({part for path in paths for part in path[:-1] if ADDRESS.fullmatch(part)})
    values: dict[str, t.Any] = {}
    for address in bridges:
        read = node.read["config"][address]
        values[address] = 0 if read["acs_capable"] is False else read["acs"]

    def judge(_address: str, control: int) -> Bad | None:
        if not control:
            return None
        return Bad(FAIL if control & ACS_REDIRECT else WARN, f"ACSCtl {control:#06x}")

    remedy = (
        "Set rdma_acs_disabled to true, which turns it off at each boot (setpci -s ADDRESS ECAP_ACS+0x6.w=0000), or turn it off in "
        "the BIOS; on a host of virtual machines set acs to any in expect."
    )
    if not values:
        return Finding(NOT_VERIFIED, "no bridge is above the HCAs", "off", "Look with lspci -t.", source)
    return over(values, judge, "off", remedy, source, f"off on {len(values)} bridges")


def ats(node: Node) -> Judged:
    """In a guest, where ACS must stay, ATS lets the HCA reach GPUs without the detour [NCCL's documentation]."""
    if node.guest is False or node.guest is None:
        return Skip("it matters in virtual machines only")
    if not node.gpus:
        return Skip("there is no NVIDIA GPU here")
    if _soft(node):
        return Skip(_NO_CARD)
    remedy = "On the host: mlxconfig -d ADDRESS set ATS_ENABLED=true, reset the card; show the capability to the guest."
    return over(_settings(node, "ats"), lambda _name, on: None if on else Bad(WARN, "off"), "on", remedy, _CONFIG, "on")


def iommu(node: Node) -> Judged:
    """No translation for HCAs: pass-through, or no IOMMU at all."""
    source = "/sys/bus/pci/devices/*/iommu_group/type"
    if node.profile.iommu == "any":
        return Skip("expect.iommu is any")
    if node.guest:
        return Skip("the IOMMU of a guest is its host's")
    if _soft(node):
        return Skip(_NO_CARD)
    remedy = "Set rdma_iommu to pt, or add iommu=pt to the kernel's command line (intel_iommu=on iommu=pt), and reboot."
    return over(
        {name: node.read["iommu"].get(name) for name in _cards(node)},
        lambda _name, kind: None if kind in ("off", "identity") else Bad(WARN, kind),
        "off or identity (iommu=pt)",
        remedy,
        source,
    )


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "HCA PCIe link": link,
    "MaxReadReq": max_read_request,
    "ACS": acs,
    "ATS": ats,
    "IOMMU": iommu,
}
