# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of docker run, and what never stands among them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._docker_run import arguments

FIRST = ["--network", "host", "--ipc", "host", "--restart", "no"]
LIMITS = ["--ulimit", "memlock=-1", "--ulimit", "stack=67108864", "--ulimit", "nofile=1048576"]
LAST = ["--security-opt", "no-new-privileges"]
ALWAYS = [*FIRST, "--init", "--cap-add", "IPC_LOCK", *LIMITS, *LAST]
PLAIN: dict[str, t.Any] = {"image": "engine:1", "argv": ["vllm", "serve"]}


def test_a_plain_container() -> None:
    expected = [*ALWAYS, "engine:1", "vllm", "serve"]
    assert arguments(PLAIN) == expected
    assert arguments({**PLAIN, "gpus": False, "devices": [], "mounts": [], "env": {}}) == expected


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
            "gpus": True,
            "devices": ["/dev/infiniband/uverbs0", "/dev/infiniband/rdma_cm"],
            "mounts": ["/models:/models:ro", "/b:/b"],
            "env": {"Z": "1", "A": "=eth0"},
        }
    )
    assert words == [
        *ALWAYS,
        *("--gpus", "all"),
        *("--device", "/dev/infiniband/uverbs0", "--device", "/dev/infiniband/rdma_cm"),
        *("--volume", "/models:/models:ro", "--volume", "/b:/b"),
        *("--env", "A==eth0", "--env", "Z=1"),
        *("engine:1", "vllm", "serve"),
    ]
    assert not {"--privileged", "--publish", "--detach", "--name"} & set(words)
