# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of docker run, and what never stands among them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._docker_run import (
    arguments,
    gpu_access,
    gpu_numbers,
    gpu_words,
)

FIRST = ["--network", "host", "--ipc", "host", "--restart", "no"]
LIMITS = ["--ulimit", "memlock=-1", "--ulimit", "stack=67108864", "--ulimit", "nofile=1048576"]
LAST = ["--security-opt", "no-new-privileges"]
ALWAYS = [*FIRST, "--init", "--cap-add", "IPC_LOCK", *LIMITS, *LAST]
PLAIN: dict[str, t.Any] = {"image": "engine:1", "argv": ["vllm", "serve"]}


def test_a_plain_container() -> None:
    expected = [*ALWAYS, "engine:1", "vllm", "serve"]
    assert arguments(PLAIN) == expected
    assert arguments({**PLAIN, "gpus": "", "devices": [], "mounts": [], "env": {}}) == expected


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"raise_limits": True, "pid_of": None}, ALWAYS),
        ({"raise_limits": False}, [*FIRST, "--init", "--cap-add", "IPC_LOCK", *LAST]),
        ({"pid_of": "ray"}, [*FIRST, "--pid", "container:ray", "--cap-add", "IPC_LOCK", *LIMITS, *LAST]),
    ],
)
def test_limits_and_processes(container: dict[str, t.Any], expected: list[str]) -> None:
    assert arguments({**PLAIN, **container}) == [*expected, "engine:1", "vllm", "serve"]


def test_a_container_with_everything() -> None:
    words = arguments(
        {
            **PLAIN,
            "gpus": "cdi",
            "devices": ["/dev/infiniband/uverbs0", "/dev/infiniband/rdma_cm"],
            "mounts": ["/models:/models:ro", "/b:/b"],
            "env": {"Z": "1", "A": "=eth0"},
        }
    )
    assert words == [
        *ALWAYS,
        *("--device", "nvidia.com/gpu=all"),
        *("--device", "/dev/infiniband/uverbs0", "--device", "/dev/infiniband/rdma_cm"),
        *("--volume", "/models:/models:ro", "--volume", "/b:/b"),
        *("--env", "A==eth0", "--env", "Z=1"),
        *("engine:1", "vllm", "serve"),
    ]
    assert not {"--privileged", "--publish", "--detach", "--name"} & set(words)


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("cdi", ["--device", "nvidia.com/gpu=all"]),
        ("hook", ["--gpus", "all"]),
        (
            "runtime",
            [
                *("--runtime", "nvidia", "--env", "NVIDIA_VISIBLE_DEVICES=all"),
                *("--env", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
            ],
        ),
    ],
)
def test_ways_to_the_gpus(way: str, expected: list[str]) -> None:
    assert arguments({**PLAIN, "gpus": way}) == [*ALWAYS, *expected, "engine:1", "vllm", "serve"]


@pytest.mark.parametrize(
    ("ray", "gpus", "expected"),
    [
        ({"gpu_containers": False, "gpu_access": {"a": "cdi"}}, 8, ""),
        ({"gpu_containers": True, "gpu_access": {"a": "cdi"}}, 0, ""),
        ({"gpu_containers": True, "gpu_access": {"a": "cdi", "b": "hook"}}, 8, "cdi"),
        ({"gpu_containers": True, "gpu_access": {"b": "cdi"}}, 8, "hook"),
        ({"gpu_containers": True}, 8, "hook"),
    ],
)
def test_gpu_access(ray: dict[str, t.Any], gpus: int, expected: str) -> None:
    assert gpu_access(ray, "a", gpus) == expected


@pytest.mark.parametrize(
    ("access", "numbers", "expected"),
    [
        ("", [0, 1], []),
        ("cdi", [], ["--device", "nvidia.com/gpu=all"]),
        ("cdi", [4, 5], ["--device", "nvidia.com/gpu=4", "--device", "nvidia.com/gpu=5"]),
        (
            "runtime",
            [0, 3],
            [
                *("--runtime", "nvidia", "--env", "NVIDIA_VISIBLE_DEVICES=0,3"),
                *("--env", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
            ],
        ),
        ("hook", [], ["--gpus", "all"]),
        ("hook", [0, 3], ["--gpus", '"device=0,3"']),
    ],
)
def test_gpus_by_number(access: str, numbers: list[int], expected: list[str]) -> None:
    assert gpu_words(access, numbers) == expected


def test_all_gpus_need_no_numbers() -> None:
    assert gpu_numbers([0, 1], 2) == [] and gpu_numbers([1], 2) == [1]
