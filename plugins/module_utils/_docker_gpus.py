# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove that a container sees the node's GPUs: one is started that lists them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_probe, _docker_socket
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, PASS, Check, check, not_verified

NAME = "GPUs in a container"
COMMAND = ["nvidia-smi", "-L"]
VARIABLES = ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"]

#: How a container asks for all GPUs, the same three ways as the engines' containers (plugin_utils/_docker_run.py).
ACCESS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any]]] = {
    "cdi": ({}, {"DeviceRequests": [{"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"]}]}),
    "runtime": ({"Env": VARIABLES}, {"Runtime": "nvidia"}),
    "hook": ({"Env": VARIABLES}, {"DeviceRequests": [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}]}),
}

#: A card without persistence takes seconds to start, and eight start one after another.
TIMEOUT_SECONDS = 90.0

REMEDY = {
    "cdi": "Run systemctl restart nvidia-cdi-refresh.service and look at nvidia-ctk cdi list; then gpu_health.",
    "runtime": "Look whether docker info names the runtime nvidia; then run gpu_health.",
    "hook": "Let the role container_runtime install the toolkit (container_runtime_toolkit: auto); then run gpu_health.",
}


def prove(
    wish: dict[str, t.Any], images: t.Mapping[str, str], probe: bool, socket_path: str = _docker_socket.SOCKET_PATH
) -> Check:
    """Return the check. ``wish``: count, access (cdi, runtime or hook), image (with glibc, which nvidia-smi needs)."""
    count, access, image = int(wish["count"]), wish["access"], wish["image"]
    source = f"nvidia-smi -L in a container of {image}"

    def unknown(why: str) -> Check:
        return not_verified(NAME, why, count, source=source)

    if not count:
        return unknown("this node has no GPU that could be counted")
    if not image or image not in images:
        return unknown(f"there is no image {image or 'to try'} on the node")
    if not probe:
        return unknown("no container is started to try")
    more, host = ACCESS[access]
    try:
        ran = _docker_probe.run(image, COMMAND, more, host, TIMEOUT_SECONDS, socket_path)
    except _docker_socket.DockerUnreachableError as error:
        return unknown(str(error))
    if ran.text is None:
        return check(NAME, FAIL, ran.problem, count, REMEDY[access], source)
    seen = len(re.findall(r"^GPU \d+:", ran.text, re.MULTILINE))
    if ran.code == 0 and seen == count:
        return check(NAME, PASS, seen, count, "", source)
    observed = f"{seen}" if ran.code == 0 else f"nvidia-smi ended with {ran.code}: {ran.text.strip()[-300:]}"
    return check(NAME, FAIL, observed, count, REMEDY[access], source)
