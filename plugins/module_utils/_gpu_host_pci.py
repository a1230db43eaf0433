# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read NVIDIA's functions on the PCI bus from /sys/bus/pci: GPUs, NVSwitches, links, errors. Needs no driver.

The shapes are those of ``_gpu_host`` (``FUNCTION``). A reading takes no lock of the driver, so it cannot hang with it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _node
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import (
    ADDRESS,
    GPU_CLASSES,
    PCI_DEVICES,
    link_width,
    speed_gts,
)

#: PCI vendor of Mellanox.
MELLANOX_VENDOR = "0x15b3"

#: PCI classes (PCI code and ID assignment): bridge of another kind, InfiniBand controller.
NVSWITCH_CLASS, INFINIBAND_CLASS = "0680", "0207"

#: PCI's own numbers: the revision is byte 8 of the configuration space.
_REVISION_BYTE = 8

#: What the VPD of a ConnectX function says that leads to an NVLink switch (HGX B200 and B300): SMDL=SW_MNG. A lead:
#: read in the sources of two projects (2026-11), not on hardware.
_BRIDGE_MARK = "SW_MNG"

#: A VPD is read word by word through the configuration space: some milliseconds for each card.
_VPD_SECONDS = 5.0


def total_errors(text: str | None) -> int | None:
    """Return the last number of an aer_dev_* file, "… TOTAL_ERR_FATAL 0"; None when there is no such file."""
    match = re.search(r"TOTAL_ERR_\w+ (\d+)", text or "")
    return int(match[1]) if match else None


def revision(host: Host, path: str) -> str | None:
    """Return byte 8 of the configuration space, read from the card now (the file ``revision`` keeps what once was)."""
    try:
        with open(os.path.join(host.root, path.lstrip("/"), "config"), "rb") as config:
            read = config.read(64)
    except OSError:
        return None
    return f"{read[_REVISION_BYTE]:02x}" if len(read) > _REVISION_BYTE else None


def link(host: Host, path: str, prefix: str) -> dict[str, t.Any]:
    return {
        f"{prefix}_speed_max_gts": speed_gts(host.text(f"{path}/max_link_speed")),
        f"{prefix}_width_max": link_width(host.text(f"{path}/max_link_width")),
    }


def function(host: Host, address: str) -> dict[str, t.Any]:
    """Return what /sys says of one function."""
    path = f"{PCI_DEVICES}/{address}"
    real = os.path.realpath(os.path.join(host.root, path.lstrip("/")))
    # /sys keeps a function in the directory of the port above it; on the root bus that is no function.
    partner = f"{path}/.." if ADDRESS.fullmatch(os.path.basename(os.path.dirname(real))) else "/nowhere"
    driver = os.path.join(real, "driver")
    errors = {kind: total_errors(host.text(f"{path}/aer_dev_{kind}")) for kind in ("fatal", "nonfatal", "correctable")}
    numa = host.text(f"{path}/numa_node")

    def identity(name: str) -> str:
        return (host.text(f"{path}/{name}") or "")[2:]

    return {
        "pci": address,
        "class": identity("class")[:4],
        "device_id": identity("device"),
        "subsystem_id": identity("subsystem_device") + identity("subsystem_vendor"),
        "driver": os.path.basename(os.readlink(driver)) if os.path.islink(driver) else "",
        "numa_node": int(numa) if numa is not None else None,
        "revision": revision(host, path),
        "link_speed_gts": speed_gts(host.text(f"{path}/current_link_speed")),
        "link_width": link_width(host.text(f"{path}/current_link_width")),
        **link(host, path, "link"),
        **link(host, partner, "link_partner"),
        "aer": None if None in errors.values() else errors,
    }


def bridges(host: Host, addresses: t.Sequence[str]) -> dict[str, t.Any]:
    """Return {pci, problem}: which of these ConnectX functions lead to an NVLink switch."""
    paths = [f"{PCI_DEVICES}/{address}/vpd" for address in addresses]
    if not paths:
        return {"pci": [], "problem": ""}
    # A process of its own: reading a VPD waits for the card's firmware and can be cut off only from outside.
    asked = host.run(["grep", "-l", "-a", _BRIDGE_MARK, *paths], timeout_seconds=_VPD_SECONDS)
    found = [path.split("/")[-2] for path in asked.stdout.split()]
    return {"pci": found, "problem": "" if asked.rc in (0, 1) else asked.problem}


def read_pci(host: Host) -> dict[str, t.Any]:
    """Return {gpus, nvswitches, nvlink5_bridges}; without /sys/bus/pci the lists are None."""
    base = os.path.join(host.root, PCI_DEVICES.lstrip("/"))
    try:
        addresses = sorted(os.listdir(base))
    except OSError as error:
        problem = f"{PCI_DEVICES}: {error.strerror}"
        return {"gpus": None, "nvswitches": None, "nvlink5_bridges": {"pci": None, "problem": problem}}
    gpus, switches, channels = [], [], []
    for address in addresses:
        vendor = host.text(f"{PCI_DEVICES}/{address}/vendor")
        if vendor not in (_node.NVIDIA_VENDOR, MELLANOX_VENDOR):
            continue
        kind = (host.text(f"{PCI_DEVICES}/{address}/class") or "")[2:6]
        if vendor == MELLANOX_VENDOR:
            virtual = os.path.lexists(os.path.join(base, address, "physfn"))
            if kind == INFINIBAND_CLASS and not virtual and os.path.exists(os.path.join(base, address, "vpd")):
                channels.append(address)
        elif kind in GPU_CLASSES:
            gpus.append(function(host, address))
        elif kind == NVSWITCH_CLASS:
            switches.append(function(host, address))
    # Where NVSwitches are on the bus themselves nobody needs a bridge to them.
    wanted = channels if gpus and not switches else []
    return {"gpus": gpus, "nvswitches": switches, "nvlink5_bridges": bridges(host, wanted)}
