# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read everything that ``rdma_health`` judges, from files and a few bounded commands.

``read()`` returns plain data::

    {"rdma": what ``_rdma_sysfs.read`` returns, "on_bus": {PCI address: driver or ""} of Mellanox network functions,
     "boot": what ``_gpu_host_driver.boot`` returns, "config": {PCI address: what ``_pci_config.parse`` returns},
     "iommu": {HCA: "identity" | "DMA" … | "off" | None}, "mtu": {interface: bytes},
     "counters": {"now": SNAPSHOT, "grown": {port: {counter: number}} | None, "seconds": 2.0, "problem": ""},
     "priorities": {interface of RoCE: what ``_dcb.ask`` returns}, "characters": …, "modules": …, "topology_file": "" (``_rdma_software``),
     "gdr": what ``_gpu_host_driver.gdr`` returns, "limits": what ``_host_limits.limits`` returns, "log": LOG}

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import (
    _gpu_host_driver,
    _pci_config,
    _rdma_counters,
    _rdma_software,
    _rdma_sysfs,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from ansible_collections.gpufleet.inference.plugins.module_utils._host_limits import limits
from ansible_collections.gpufleet.inference.plugins.module_utils._kernel_log import read_kernel_log
from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import (
    ADDRESS,
    PCI_DEVICES,
    below,
    link_name,
    names,
    number,
    text,
)

Readings = dict[str, t.Any]

#: Mellanox, and the classes of its cards: Ethernet and InfiniBand controller (PCI code and ID assignment).
VENDOR, NETWORK_CLASSES = "0x15b3", ("0200", "0207")

#: What the kernel says of RDMA cards and of carriers.
LOG_WORDS = ("mlx5", "infiniband", "ink down", "ost carrier")

#: Modules that programs need and that no device brings with it.
MODULES = ("ib_uverbs", "ib_umad", "rdma_ucm")
#: Modules that udev loads for the device.
DRIVERS = ("mlx5_core", "mlx5_ib")


def of_rdma(line: str) -> bool:
    """Return whether a line of the kernel concerns RDMA cards."""
    return any(word in line for word in LOG_WORDS)


def on_bus(root: str) -> dict[str, str]:
    """Return {PCI address: driver or ""} of Mellanox's physical network functions: there whatever the driver does."""
    found, base = {}, below(root, PCI_DEVICES)
    for address in names(base):
        function = f"{base}/{address}"
        ours = text(f"{function}/vendor") == VENDOR and (text(f"{function}/class") or "")[2:6] in NETWORK_CLASSES
        if ours and not os.path.lexists(f"{function}/physfn"):
            found[address] = link_name(f"{function}/driver")
    return found


def iommu(root: str, address: str) -> str | None:
    """Return the kind of the function's IOMMU group, "off" without one, None when it could not be read."""
    group = below(root, f"{PCI_DEVICES}/{address}/iommu_group")
    return text(f"{group}/type") if os.path.lexists(group) else "off"


def config(root: str, rdma: Readings) -> dict[str, Readings]:
    """Return the settings of the HCAs and of all bridges above them and the GPUs."""
    paths = [one["path"] for one in [*rdma["hcas"].values(), *rdma["gpus"].values()]]
    bridges = {part for path in paths for part in path[:-1] if ADDRESS.fullmatch(part)}
    wanted = bridges | {one["address"] for one in rdma["hcas"].values() if one["address"]}
    return {address: _pci_config.read(root, address) for address in sorted(wanted)}


def baseline(host: Host, path: str) -> tuple[Readings | None, str]:
    """Return (the snapshot in this file, "") or (None, why not)."""
    said = host.text(path)
    if said is None:
        return None, f"{path} cannot be read"
    try:
        kept = json.loads(said)
    except ValueError:
        return None, f"{path} holds no JSON"
    return (kept, "") if _rdma_counters.is_snapshot(kept) else (None, f"{path} holds no counters")


def read(host: Host, interval_seconds: float = 0.0, baseline_path: str = "", topology_file: str = "") -> Readings:
    """Read the node. Counters are compared with the baseline or, without one, with themselves some seconds later."""
    began = time.monotonic()
    rdma = _rdma_sysfs.read(host.root)
    before, problem = baseline(host, baseline_path) if baseline_path else (None, "")
    first = _rdma_counters.snapshot(host.root, rdma["hcas"], before["refused"] if before else None)
    boot, driver = _gpu_host_driver.boot(host), _gpu_host_driver.driver(host)
    wanted = [*MODULES, *(DRIVERS if any(one["vendor"] == VENDOR[2:] for one in rdma["hcas"].values()) else ())]
    ports = [port for one in rdma["hcas"].values() for port in one["ports"].values()]
    interfaces = {port["netdev"] for port in ports}
    of_roce = {port["netdev"] for port in ports if port["link_layer"] == "Ethernet"} - {""}
    readings = {
        "rdma": rdma,
        "on_bus": on_bus(host.root),
        "boot": boot,
        "config": config(host.root, rdma),
        "iommu": {name: iommu(host.root, one["address"]) for name, one in rdma["hcas"].items() if one["address"]},
        "mtu": {name: number(text(below(host.root, f"/sys/class/net/{name}/mtu"))) for name in interfaces if name},
        "priorities": {name: host.priorities(name) for name in sorted(of_roce)},
        "characters": _rdma_software.characters(host.root),
        "modules": _rdma_software.modules(host, boot["kernel"], wanted),
        "topology_file": _rdma_software.topology_file(host, topology_file),
        "gdr": _gpu_host_driver.gdr(host, driver["flavour"], _gpu_host_driver.modules(host), boot["kernel"]),
        "limits": limits(host),
        # A line of its own for each device: a flood of one must not push out another.
        "log": read_kernel_log(host, boot["booted_at"], of_rdma, kind_of=str),
    }
    now, grown, seconds = first, None, 0.0
    if before:
        grown, seconds = _rdma_counters.growth(before, first), max(first["time"] - before["time"], 0.0)
    elif interval_seconds > 0 and rdma["hcas"]:
        host.sleep(max(interval_seconds - (time.monotonic() - began), 0.0))
        now = _rdma_counters.snapshot(host.root, rdma["hcas"], first["refused"])
        grown, seconds = _rdma_counters.growth(first, now), max(now["time"] - first["time"], interval_seconds)
    return {**readings, "counters": {"now": now, "grown": grown, "seconds": seconds, "problem": problem}}
