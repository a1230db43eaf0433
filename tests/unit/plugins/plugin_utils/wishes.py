# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wishes and facts of a small fleet, for the tables of the planning tests."""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan_mistakes import Wishes

PORTS = {
    "gcs": 6379,
    "dashboard": 8265,
    "client": 10001,
    "node_manager": 20001,
    "object_manager": 20002,
    "runtime_env_agent": 20003,
    "dashboard_agent_grpc": 20004,
    "dashboard_agent_http": 20005,
    "metrics": 20006,
    "autoscaler_metrics": 20007,
    "dashboard_metrics": 20008,
    "worker_min": 20100,
    "worker_max": 20999,
}


def facts(address: str, gpus: int = 0, images: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """Return what node_facts reads of a plain node."""
    return {
        "distribution": "Debian",
        "distribution_version": "12.9",
        "interfaces": {"eth0": {"addresses": [address, "fe80::1"], "state": "up", "mtu": 1500, "speed_mbps": None}},
        "addresses": ["127.0.0.1", address],
        "default_interface": "eth0",
        "gpus": [{"pci": f"0000:0{number}:00.0", "device": "2329"} for number in range(gpus)],
        "docker": {"images": dict.fromkeys(images, "sha256:0")},
        "listening": [],
    }


def fleet(**changed: t.Any) -> Wishes:
    """Return the wishes of two nodes with one GPU each and one deployment over both, with some of them changed."""
    wishes: dict[str, t.Any] = {
        "deployments": [{"name": "tiny", "model": "tiny", "image": "engine:1", "pipeline_parallel": 2}],
        "nodes": {
            "one": {"facts": facts("10.0.0.1", gpus=1), "platform": "Debian_12"},
            "two": {"facts": facts("10.0.0.2", gpus=1), "platform": "Debian_12"},
        },
        "known_platforms": ["Debian_12", "Ubuntu_22"],
        "models": {"tiny": {"directory": "/models/tiny", "config": {}, "bytes": 1000, "problem": ""}},
        "images": {"engine:1": {"archive_problem": ""}},
        "ray": {
            "head": None,
            "ports": PORTS,
            "image": "engine:1",
            "token_path": "/etc/gpufleet/ray_token",
            "session_directory": "/var/lib/gpufleet/ray",
            "mounts": ["/models:/models:ro"],
            "object_store_gib": 1,
            "gpu_containers": True,
            "environment": {},
        },
        "gateway": {"nodes": ["one"], "ports": {"gateway_port": 443}},
        "texts": {},
        "directory": "/etc/gpufleet",
    }
    return Wishes(**{**wishes, **changed})
