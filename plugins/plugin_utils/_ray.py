# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Ray cluster as plain data: who is head, which ports, and what each member's supervisor keeps running.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _docker_run, _kernel_cache, _plan_fabric
from ansible_collections.gpufleet.inference.plugins.plugin_utils._members import Member

CONTAINER = "gpufleet-ray"
UNIT = "gpufleet-ray.service"

#: Inside the containers, whatever the paths on the node.
TOKEN_IN_CONTAINER = "/run/gpufleet/ray_token"
SESSION_IN_CONTAINER = "/tmp/ray"

#: Ports that every member listens on; the others are the head's only. Names are those of ray_cluster_ports.
MEMBER_PORTS = ("node_manager", "object_manager", "runtime_env_agent", "dashboard_agent_grpc", "dashboard_agent_http")
HEAD_PORTS = ("gcs", "dashboard", "client", "autoscaler_metrics", "dashboard_metrics")
RANGE = ("worker_min", "worker_max")

#: Files that killed Ray processes leave in the node's shared memory.
LEFT_BEHIND = ("/dev/shm/sem.hdr*", "/dev/shm/sem.obj*", "/dev/shm/plasma*", "/dev/shm/psm_*", "/dev/shm/ray_*")


def port_mistakes(ports: t.Mapping[str, t.Any]) -> list[str]:
    """Return what is wrong with ``ray_cluster_ports``."""
    wanted = (*HEAD_PORTS, *MEMBER_PORTS, "metrics", *RANGE)
    found = [f"ray_cluster_ports.{name}: is missing" for name in wanted if name not in ports]
    found += [f"ray_cluster_ports.{name}: unknown; known are {', '.join(wanted)}" for name in set(ports) - set(wanted)]
    if found:
        return sorted(found)
    single = [name for name in wanted if name not in RANGE]
    for name in wanted:
        if not isinstance(ports[name], int) or not 1024 <= ports[name] <= 65535:
            found.append(f"ray_cluster_ports.{name}: {ports[name]!r} is not a port from 1024 to 65535")
    for at, name in enumerate(single):
        for other in single[at + 1 :]:
            if ports[name] == ports[other]:
                found.append(f"ray_cluster_ports: {name} and {other} are both {ports[name]}")
        if not found and ports["worker_min"] <= ports[name] <= ports["worker_max"]:
            found.append(f"ray_cluster_ports.{name}: {ports[name]} lies in the range of the workers")
    if not found and ports["worker_max"] - ports["worker_min"] < 50:
        found.append("ray_cluster_ports: the range of the workers must hold 50 ports or more")
    return found


def port_list(ports: t.Mapping[str, int]) -> list[int | str]:
    """Return every port of the cluster, for the firewall: numbers, and the range of the workers as ``"a-b"``."""
    single = sorted(value for name, value in ports.items() if name not in RANGE)
    return [*single, f"{ports['worker_min']}-{ports['worker_max']}"]


def start_command(member: Member, head: Member, ports: t.Mapping[str, int], object_store_gib: float) -> list[str]:
    """Return the `ray start` command of one member, with every port fixed and the dashboard on loopback."""
    words = ["ray", "start", "--block", "--disable-usage-stats", f"--node-ip-address={member.address}"]
    if member.name == head.name:
        words += ["--head", f"--port={ports['gcs']}", f"--ray-client-server-port={ports['client']}"]
        words += ["--dashboard-host=127.0.0.1", f"--dashboard-port={ports['dashboard']}", "--include-dashboard=true"]
    else:
        words += [f"--address={head.address}:{ports['gcs']}"]
    return [
        *words,
        f"--num-gpus={len(member.for_ray)}",
        f"--object-store-memory={int(object_store_gib * 2**30)}",
        f"--node-manager-port={ports['node_manager']}",
        f"--object-manager-port={ports['object_manager']}",
        f"--runtime-env-agent-port={ports['runtime_env_agent']}",
        f"--dashboard-agent-grpc-port={ports['dashboard_agent_grpc']}",
        f"--dashboard-agent-listen-port={ports['dashboard_agent_http']}",
        f"--metrics-export-port={ports['metrics']}",
        f"--min-worker-port={ports['worker_min']}",
        f"--max-worker-port={ports['worker_max']}",
    ]


def environment(member: Member, head: Member, ports: t.Mapping[str, int]) -> dict[str, tuple[str, str]]:
    """Return {variable: (value, reason)} that every container which talks to Ray on this member gets."""
    return {
        "RAY_AUTH_MODE": ("token", "without it anyone who reaches the ports runs code (CVE-2023-48022)"),
        "RAY_AUTH_TOKEN_PATH": (TOKEN_IN_CONTAINER, "a file, so that the token is in no process list"),
        "RAY_ADDRESS": (f"{head.address}:{ports['gcs']}", "never start a private cluster by accident"),
        "VLLM_HOST_IP": (member.address, "the address by which Ray knows this node"),
        "VLLM_RPC_BASE_PATH": (SESSION_IN_CONTAINER, "driver and workers are in two containers and share this folder"),
        "GLOO_SOCKET_IFNAME": (member.interface, "the interface of that address; Ray does not copy it to workers"),
        "NCCL_SOCKET_IFNAME": (f"={member.interface}", "the same, exact: without = it is a prefix"),
    }


def plan(
    members: t.Sequence[Member],
    head: Member,
    ports: t.Mapping[str, int],
    image: str,
    options: t.Mapping[str, t.Any],
) -> dict[str, t.Any]:
    """Return {head, head_address, ports, closed_ports, probes_from_outside, members: {name: {…}}}.

    A member has address, interface, gpus, role (head or worker), unit, container, reasons, spec.

    ``options``: image_identity, token_path, session_directory, mounts, object_store_gib, gpu_containers (bool),
    gpu_access ({node: way}), environment, cache_mounts ({node: mounts}) and cache_environment of compiled kernels,
    fabric ({node: what ``_plan_fabric.needs`` returned}) of the nodes whose workers talk to those of others.
    ``spec`` is what roles/node_tools/files/rank_supervisor.py reads.
    """
    planned: dict[str, t.Any] = {}
    for member in members:
        cache = options.get("cache_mounts", {}).get(member.name, [])
        fabric = _plan_fabric.needs({}, "") | options.get("fabric", {}).get(member.name, {})
        reasoned = environment(member, head, ports) | fabric["environment"]
        is_head = member.name == head.name
        env = {name: value for name, (value, _why) in reasoned.items()}
        env |= dict(options.get("cache_environment", {})) | dict(options.get("environment", {}))
        if is_head:
            # `ray start --head` refuses an address of a cluster that it is about to make.
            env.pop("RAY_ADDRESS")
            # Two listeners of the head that no option of `ray start` names.
            env["AUTOSCALER_METRIC_PORT"] = str(ports["autoscaler_metrics"])
            env["DASHBOARD_METRIC_PORT"] = str(ports["dashboard_metrics"])
        container = {
            "image": image,
            "argv": start_command(member, head, ports, options["object_store_gib"]),
            "env": env,
            "mounts": [
                f"{options['token_path']}:{TOKEN_IN_CONTAINER}:ro",
                f"{options['session_directory']}:{SESSION_IN_CONTAINER}",
                *cache,
                *fabric["mounts"],
                *options.get("mounts", []),
            ],
            "gpus": _docker_run.gpu_access(options, member.name, len(member.for_ray)),
            "gpu_numbers": _docker_run.gpu_numbers(member.for_ray, member.gpus),
            "devices": list(dict.fromkeys([*options.get("devices", []), *fabric["devices"]])),
            "raise_limits": member.raise_limits,
        }
        gcs = {"kind": "tcp", "address": head.address, "port": ports["gcs"]}
        raylet = {"kind": "process", "name": "raylet"}
        planned[member.name] = {
            "address": member.address,
            "interface": member.interface,
            "gpus": len(member.for_ray),
            "role": "head" if is_head else "worker",
            "unit": UNIT,
            "container": CONTAINER,
            "reasons": {name: why for name, (_value, why) in reasoned.items()},
            "spec": {
                "container": {"name": CONTAINER, "run": _docker_run.arguments(container), "stop_seconds": 20},
                "image": options.get("image_identity", ""),
                "sweep": list(LEFT_BEHIND),
                "waits": [] if is_head else [gcs],
                "ready": [raylet, gcs],
                "alive": [raylet, gcs],
                "wait_budget_seconds": 900,
                "ready_budget_seconds": 180,
                "watch_seconds": 5,
                "alive_failures": 3,
                **_kernel_cache.owned(cache, "ray"),
                # Ray comes and goes with its head; never give up on a member, only go slower.
                "give_up": {"failures": 1000, "window_seconds": 3600, "delays_seconds": [2, 5, 10, 30]},
            },
        }
    return {
        "head": head.name,
        "head_address": head.address,
        "ports": dict(ports),
        "closed_ports": port_list(ports),
        "probes_from_outside": outside(members, head, ports),
        "members": planned,
    }


def outside(members: t.Sequence[Member], head: Member, ports: t.Mapping[str, int]) -> list[dict[str, t.Any]]:
    """Return [{address, port, what}] that nobody but members may reach."""
    found = [{"address": head.address, "port": ports[name], "what": f"Ray {name}"} for name in HEAD_PORTS]
    for one in members:
        found += [
            {"address": one.address, "port": ports[name], "what": f"Ray {name} of {one.name}"}
            for name in ("node_manager", "dashboard_agent_http")
        ]
    return found
