# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what lets programs use RDMA devices: character devices, kernel modules, a file that tells the topology.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import below, names, text

VERBS, MAD = "/sys/class/infiniband_verbs", "/sys/class/infiniband_mad"

#: Files whose modules are loaded at boot: systemd's, and rdma-core's, which its udev rules load with the first device.
LISTS = (*(f"{one}/modules-load.d/*.conf" for one in ("/etc", "/run", "/usr/lib")), "/etc/rdma/modules/*.conf")

#: NCCL reads this file where nothing else is said (NCCL 2.30.7, src/graph/topo.cc).
VIRTUAL_TOPOLOGY = "/var/run/nvidia-topologyd/virtualTopology.xml"


def characters(root: str) -> dict[str, t.Any]:
    """Return {"verbs": {device: node or ""}, "mad": {"device/port": node or ""}}; "" when /dev lacks the node."""

    def node(name: str) -> str:
        path = f"/dev/infiniband/{name}"
        return path if os.path.exists(below(root, path)) else ""

    verbs, mad = below(root, VERBS), below(root, MAD)
    return {
        "verbs": {
            device: node(name)
            for name in names(verbs)
            for device in [text(f"{verbs}/{name}/ibdev")]
            if device and name.startswith("uverbs")
        },
        "mad": {
            f"{device}/{text(f'{mad}/{name}/port')}": node(name)
            for name in names(mad)
            for device in [text(f"{mad}/{name}/ibdev")]
            if device and name.startswith("umad")
        },
    }


def modules(host: Host, kernel: str, wanted: t.Iterable[str]) -> dict[str, dict[str, bool]]:
    """Return {module: {loaded, persistent}}; what is built into the kernel is both."""
    built_in = {
        os.path.basename(path).partition(".")[0].replace("-", "_")
        for path in (host.text(f"/lib/modules/{kernel}/modules.builtin") or "").split()
    }
    listed = {
        line.strip().replace("-", "_")
        for pattern in LISTS
        for path in host.paths(pattern)
        for line in (host.text(path) or "").splitlines()
    }
    return {
        name: {
            "loaded": name in built_in or os.path.isdir(below(host.root, f"/sys/module/{name}")),
            "persistent": name in built_in or name in listed,
        }
        for name in wanted
    }


def topology_file(host: Host, declared: str = "") -> str:
    """Return the file that tells NCCL the topology, "" when it is not there.

    It is the declared one, that of nccl.conf, or the one that NCCL looks for itself.
    """
    said = re.search(r"^\s*NCCL_TOPO_FILE\s*=\s*(\S+)", host.text("/etc/nccl.conf") or "", re.MULTILINE)
    path = declared or (said[1] if said else VIRTUAL_TOPOLOGY)
    # Docker makes a directory of a file that it shall mount and does not find.
    return path if os.path.isfile(below(host.root, path)) else ""
