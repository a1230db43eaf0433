# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read from files how containers get NVIDIA's GPUs: CDI specifications, the runtime's mode, links of device nodes.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host

#: Where CDI specifications lie, cdi(5); /var/run is mostly a link to /run.
SPECIFICATIONS = ("/etc/cdi/*", "/var/run/cdi/*", "/run/cdi/*")
CONFIGURATION = "/etc/nvidia-container-runtime/config.toml"

#: The first number of NVIDIA's character devices (Documentation/admin-guide/devices.txt).
NVIDIA_MAJOR = 195


def handover(host: Host) -> dict[str, t.Any]:
    """Return what files tell::

    {"cdi": [{"path", "devices": [name], "driver_version": "580.126.20" or ""}],
     "runtime_mode": "auto" | "cdi" | "legacy" | …, "" without a configuration,
     "device_links": 0}   # links to NVIDIA's nodes in /dev/char, which udev does not make
    """
    mode = re.search(r'^\s*mode\s*=\s*"(\w+)"', host.text(CONFIGURATION) or "", re.MULTILINE)
    return {
        "cdi": specifications(host),
        "runtime_mode": mode[1] if mode else "",
        "device_links": len(host.paths(f"/dev/char/{NVIDIA_MAJOR}:*")),
    }


def specifications(host: Host) -> list[dict[str, t.Any]]:
    """Return the CDI specifications of NVIDIA's GPUs. A file that is there by two names counts once."""
    found: dict[str, dict[str, t.Any]] = {}
    for path in (path for pattern in SPECIFICATIONS for path in host.paths(pattern)):
        text = host.text(path)
        if text is None or not re.search(r"\bkind\"?: *\"?nvidia\.com/gpu\b", text):
            continue
        # YAML or JSON: only devices have a "name" (mounts have paths, hooks a hookName, variables NAME=value).
        names = re.findall(r"(?:^|[-\s{,])\"?name\"?: *\"?([\w:.-]+)\"?", text)
        version = re.search(r"libcuda\.so\.(\d{3,}\.\d+(?:\.\d+)?)\b", text)
        real = os.path.realpath(os.path.join(host.root, path.lstrip("/")))
        found[real] = {"path": path, "devices": sorted(set(names)), "driver_version": version[1] if version else ""}
    return list(found.values())
