# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of `docker run`, from plain data. Nothing here is privileged.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

#: How a container asks for all GPUs; which way a node has is decided in _gpu_containers. Engine images ask NVIDIA's runtime
#: by variables of their own, others do not.
GPU_WORDS = {
    "": (),
    "cdi": ("--device", "nvidia.com/gpu=all"),
    "runtime": (
        *("--runtime", "nvidia", "--env", "NVIDIA_VISIBLE_DEVICES=all"),
        *("--env", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
    ),
    "hook": ("--gpus", "all"),
}


def gpu_access(ray: t.Mapping[str, t.Any], node: str, gpus: int) -> str:
    """Return how containers of a node ask for GPUs, a key of GPU_WORDS; the hook where nobody looked."""
    if not ray["gpu_containers"] or not gpus:
        return ""
    return str(ray.get("gpu_access", {}).get(node, "hook"))


def gpu_numbers(numbers: t.Sequence[int], gpus: int) -> list[int]:
    """Return the GPUs that a container gets by number; empty when it gets all of the node's."""
    return [] if len(numbers) == gpus else list(numbers)


def gpu_words(access: str, numbers: t.Sequence[int]) -> list[str]:
    """Return the words of ``docker run`` for all GPUs, or for those of these numbers, in one of the ways of GPU_WORDS."""
    words = list(GPU_WORDS[access])
    if not numbers:
        return words
    listed = ",".join(str(one) for one in numbers)
    if access == "cdi":
        return [word for one in numbers for word in ("--device", f"nvidia.com/gpu={one}")]
    # Docker reads the value of --gpus as CSV, hence the quotes.
    named = {"NVIDIA_VISIBLE_DEVICES=all": f"NVIDIA_VISIBLE_DEVICES={listed}", "all": f'"device={listed}"'}
    return [named.get(word, word) for word in words]


def arguments(container: t.Mapping[str, t.Any]) -> list[str]:
    """Return the words of ``docker run`` after ``--detach --name NAME``.

    ``container``: image, argv, env {name: value}, mounts ["src:dst:ro"], gpus (a key of GPU_WORDS), gpu_numbers (none: all),
    devices [path],
    raise_limits (false on a node that may not: no container would start),
    pid_of (the container whose processes it must see). Network and IPC are the host's: NCCL and Ray need the node's own
    addresses and shared memory. No restart policy: the rank supervisor restarts the whole group.
    """
    words = ["--network", "host", "--ipc", "host", "--restart", "no"]
    words += ["--pid", f"container:{container['pid_of']}"] if container.get("pid_of") else ["--init"]
    words += ["--cap-add", "IPC_LOCK"]
    if container.get("raise_limits", True):
        words += ["--ulimit", "memlock=-1", "--ulimit", "stack=67108864", "--ulimit", "nofile=1048576"]
    words += ["--security-opt", "no-new-privileges"]
    words += gpu_words(container.get("gpus", ""), container.get("gpu_numbers", ()))
    for device in container.get("devices", []):
        words += ["--device", device]
    for mount in container.get("mounts", []):
        words += ["--volume", mount]
    for name, value in sorted(container.get("env", {}).items()):
        words += ["--env", f"{name}={value}"]
    return [*words, container["image"], *container["argv"]]
