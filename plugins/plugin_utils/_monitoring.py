# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what is monitored and where it is read: exporters behind each node's door, and Prometheus' targets.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

A *door* is the one listener of a node for metrics: TLS, a token, and a list of modules, each of which is one exporter on
loopback (or on the node's own address). Nothing else of monitoring listens to the network.
"""

from __future__ import annotations

import ipaddress
import typing as t

LOOPBACK = "127.0.0.1"

#: Where each engine tells its metrics. TensorRT-LLM does so with ``return_perf_metrics: true`` only.
ENGINE_PATHS = {"tensorrt_llm": "/prometheus/metrics"}
ENGINE_PATH = "/metrics"

#: Ray's listeners: what each member has, and what its head has beside. Names are those of ray_cluster_ports.
RAY_MEMBER = {"ray": "metrics"}
RAY_HEAD = {"ray_autoscaler": "autoscaler_metrics", "ray_dashboard": "dashboard_metrics"}

#: Keys of monitoring_ports. All but the door's are on loopback.
PORTS = ("door", "node", "dcgm", "prometheus", "alertmanager", "blackbox", "grafana")

Module = dict[str, t.Any]
Target = dict[str, t.Any]


def plan(
    nodes: t.Mapping[str, t.Mapping[str, t.Any]], fleet: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Return what runs where and what Prometheus reads::

    {"doors": {node: {address, port, modules: {name: {address, port, path}},
                      allowed: [networks that are let in]}},   empty: anyone with the token
     "targets": {job: [{address, labels}]},       read through doors; ``__param_module`` names the module
     "expected": ["job/instance"],                the same, as the proof asks Prometheus
     "deployments": [{name, engine}],
     "mistakes": [sentences]}

    ``nodes``: {name: {address, gpus: number of cards}}. ``fleet``: what ``deployment_plans`` returned, or {}.
    ``wishes``: server (node with Prometheus, or ""), ports {name: port}, dcgm (whether there is an exporter for
    cards), gateway_ports ({node: port of the gateway's own exporter on its loopback, 0: it has none}).
    """
    doors: dict[str, dict[str, t.Any]] = {}
    targets: dict[str, list[Target]] = {}
    asking = [nodes[wishes["server"]]["address"]] if wishes["server"] in nodes else []

    def add(job: str, node: str, module: str, where: Module, **labels: str) -> None:
        door = doors[node]
        door["modules"][module] = where
        targets.setdefault(job, []).append(
            {
                "address": f"{bracketed(door['address'])}:{door['port']}",
                "labels": {"__param_module": module, "node": node, "instance": node, **labels},
            }
        )

    for name, node in nodes.items():
        doors[name] = {
            "address": node["address"],
            "port": wishes["ports"]["door"],
            "modules": {},
            # Who asks: Prometheus, and the proof on the node itself.
            "allowed": networks([*asking, node["address"]]) if asking else [],
        }
        add("node", name, "node", module(LOOPBACK, wishes["ports"]["node"]))
        if wishes["dcgm"] and node["gpus"]:
            add("dcgm", name, "dcgm", module(LOOPBACK, wishes["ports"]["dcgm"]))
    for one in fleet.get("deployments", []):
        add(
            *("engine", one["head"], f"engine_{one['name']}"),
            module(one["listen_address"], one["port"], ENGINE_PATHS.get(one["engine"], ENGINE_PATH)),
            instance=one["name"],
            deployment=one["name"],
            engine_kind=one["engine"],
        )
    ray = fleet.get("ray", {})
    for name, member in ray.get("members", {}).items() if ray.get("needed") else ():
        for word, port in {**RAY_MEMBER, **(RAY_HEAD if member["role"] == "head" else {})}.items():
            add(word, name, word, module(member["address"], ray["ports"][port]))
    for name, port in wishes["gateway_ports"].items():
        if port:
            add("gateway", name, "gateway", module(LOOPBACK, port))
    return {
        "doors": doors,
        "targets": targets,
        "expected": [f"{job}/{one['labels']['instance']}" for job, found in targets.items() for one in found],
        "deployments": [{"name": one["name"], "engine": one["engine"]} for one in fleet.get("deployments", [])],
        "mistakes": mistakes(nodes, fleet, wishes),
    }


def nodes_of(
    names: t.Iterable[str], hostvars: t.Mapping[str, t.Mapping[str, t.Any]], fleet: t.Mapping[str, t.Any]
) -> dict[str, dict[str, t.Any]]:
    """Return ``nodes`` of ``plan``: the address by which the fleet's plan knows a node, else that of the inventory."""
    members = fleet.get("ray", {}).get("members", {})
    return {
        name: {
            "address": members.get(name, {}).get("address") or str(hostvars[name].get("ansible_host") or name),
            "gpus": len((hostvars[name].get("platform_node") or {}).get("gpus", ())),
        }
        for name in names
    }


def module(address: str, port: int, path: str = ENGINE_PATH) -> Module:
    """Return where one exporter is read."""
    return {"address": address, "port": port, "path": path}


def bracketed(address: str) -> str:
    """Return the address as it stands before a port."""
    return f"[{address}]" if ":" in address else address


def networks(addresses: t.Iterable[str]) -> list[str]:
    """Return the addresses as networks of one host; a name among them leaves the doors to the token alone."""
    found = []
    for address in addresses:
        try:
            one = ipaddress.ip_address(address)
        except ValueError:
            return []
        found.append(f"{one}/{one.max_prefixlen}")
    return list(dict.fromkeys(found))


def mistakes(
    nodes: t.Mapping[str, t.Mapping[str, t.Any]], fleet: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]
) -> list[str]:
    """Return one sentence per mistake of the wishes."""
    found = []
    if wishes["server"] and wishes["server"] not in nodes:
        found.append(f"monitoring_fleet: {wishes['server']} is not among the nodes")
    ports = {f"monitoring_ports.{name}": port for name, port in wishes["ports"].items()}
    found += [f"monitoring_ports.{name}: is missing" for name in PORTS if name not in wishes["ports"]]
    found += [
        f"monitoring_ports.{name}: unknown; known are {', '.join(PORTS)}"
        for name in wishes["ports"]
        if name not in PORTS
    ]
    seen: dict[int, str] = {}
    for variable, port in ports.items():
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
            found.append(f"{variable}: {port!r} is not a port from 1 to 65535")
        elif port in seen:
            found.append(f"{variable}: {port} is the port of {seen[port]} already")
        else:
            seen[port] = variable
    claimed = {one["port"]: f"the deployment {one['name']}" for one in fleet.get("deployments", [])}
    ray = fleet.get("ray", {})
    claimed |= {port: f"Ray's {name}" for name, port in ray.get("ports", {}).items() if ray.get("needed")}
    found += [f"{seen[port]}: {port} is the port of {what}" for port, what in claimed.items() if port in seen]
    return found
