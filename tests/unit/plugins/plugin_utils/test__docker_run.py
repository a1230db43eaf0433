# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of docker run, and what never stands among them."""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._docker_run import arguments

ALWAYS = [
    *("--network", "host", "--ipc", "host", "--init", "--restart", "no"),
    *("--ulimit", "memlock=-1", "--ulimit", "stack=67108864", "--cap-add", "IPC_LOCK"),
    *("--security-opt", "no-new-privileges", "--log-driver", "json-file"),
]
PLAIN: dict[str, t.Any] = {"image": "engine:1", "argv": ["vllm", "serve"]}


def test_a_plain_container() -> None:
    expected = [*ALWAYS, "--log-opt", "max-size=100m", "--log-opt", "max-file=3", "engine:1", "vllm", "serve"]
    assert arguments(PLAIN) == expected
    assert arguments({**PLAIN, "gpus": False, "devices": [], "mounts": [], "env": {}}) == expected


def test_a_container_with_everything() -> None:
    words = arguments(
        {
            **PLAIN,
            "log_max_mib": 5,
            "gpus": True,
            "devices": ["/dev/infiniband/uverbs0", "/dev/infiniband/rdma_cm"],
            "mounts": ["/models:/models:ro", "/b:/b"],
            "env": {"Z": "1", "A": "=eth0"},
        }
    )
    assert words == [
        *ALWAYS,
        *("--log-opt", "max-size=5m", "--log-opt", "max-file=3"),
        *("--gpus", "all"),
        *("--device", "/dev/infiniband/uverbs0", "--device", "/dev/infiniband/rdma_cm"),
        *("--volume", "/models:/models:ro", "--volume", "/b:/b"),
        *("--env", "A==eth0", "--env", "Z=1"),
        *("engine:1", "vllm", "serve"),
    ]
    assert not {"--privileged", "--publish", "--detach", "--name"} & set(words)
