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
import json
import re
import typing as t

LOOPBACK = "127.0.0.1"

#: Where most exporters and engines tell their metrics, and where TensorRT-LLM does.
METRICS_PATH = "/metrics"
TENSORRT_LLM_PATH = "/prometheus/metrics"

#: Bridges of containers and virtual machines: they come and go, and nobody asks another host from there.
VIRTUAL = re.compile(r"docker\d+|br-[0-9a-f]{12}|veth.*|virbr\d+.*")

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
                      allowed: [networks that are let in]}},   empty without a server: anyone with the token
     "targets": {job: [{address, labels}]},       read through doors; ``__param_module`` names the module
     "expected": ["job/instance"],                the same, as the proof asks Prometheus
     "deployments": [{name, engine}],
     "mistakes": [sentences]}

    ``nodes``: what ``nodes_of`` returned. ``fleet``: what ``deployment_plans`` returned, or {}.
    ``wishes``: server (node with Prometheus, or ""), ports {name: port}, dcgm (whether there is an exporter for
    cards), gateway_ports ({node: port of the gateway's own exporter on its loopback, 0: it has none}).
    """
    doors: dict[str, dict[str, t.Any]] = {}
    targets: dict[str, list[Target]] = {}
    asking = nodes[wishes["server"]]["addresses"] if wishes["server"] in nodes else []

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
            "allowed": networks([*asking, *_own(node)]) if asking else [],
        }
        add("node", name, "node", module(LOOPBACK, wishes["ports"]["node"]))
        if wishes["dcgm"] and node["gpus"]:
            add("dcgm", name, "dcgm", module(LOOPBACK, wishes["ports"]["dcgm"]))
    for one in fleet.get("deployments", []):
        path = engine_path(one)
        if not path:
            continue
        add(
            *("engine", one["head"], f"engine_{one['name']}"),
            module(one["listen_address"], one["port"], path),
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
    """Return ``nodes`` of ``plan``: {name: {address, gpus: number of cards, addresses: from where it may ask others}}.

    ``address`` is that by which the fleet's plan knows the node, else that of the inventory, which may be a name.
    """
    members = fleet.get("ray", {}).get("members", {})
    found = {}
    for name in names:
        facts = hostvars[name].get("platform_node") or {}
        address = members.get(name, {}).get("address") or str(hostvars[name].get("ansible_host") or name)
        found[name] = {
            "address": address,
            "gpus": len(facts.get("gpus", ())),
            "addresses": addresses([address], facts.get("interfaces") or {}),
        }
    return found


def addresses(first: t.Iterable[str], interfaces: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Return the addresses from which a node may ask another: those of ``first`` that are none of names, and its interfaces'."""
    every = [
        *first,
        *(one for name, seen in interfaces.items() if not VIRTUAL.fullmatch(name) for one in seen["addresses"]),
    ]
    read = {one: ip for one, ip in ((one, _ip(one)) for one in every) if ip is not None}
    return [one for one, ip in read.items() if not (ip.is_loopback or ip.is_link_local)]


def engine_path(deployment: t.Mapping[str, t.Any]) -> str:
    """Return where an engine tells its metrics, "" where it is not known to: a target that is never there would alert for ever.

    TensorRT-LLM has the path only with ``return_perf_metrics: true`` in its file. Of an engine of the user's own nothing is known.
    """
    if deployment["engine"] == "custom":
        return ""
    if deployment["engine"] != "tensorrt_llm":
        return METRICS_PATH
    files: dict[str, str] = next((rank.get("files", {}) for rank in deployment.get("ranks", ())), {})
    return TENSORRT_LLM_PATH if json.loads(files.get("config.json", "{}")).get("return_perf_metrics") is True else ""


def module(address: str, port: int, path: str = METRICS_PATH) -> Module:
    """Return where one exporter is read."""
    return {"address": address, "port": port, "path": path}


def bracketed(address: str) -> str:
    """Return the address as it stands before a port."""
    return f"[{address}]" if ":" in address else address


def networks(found: t.Iterable[str]) -> list[str]:
    """Return the addresses as networks of one host, each once; names are left out."""
    read = [ip for ip in map(_ip, found) if ip is not None]
    return list(dict.fromkeys(f"{ip}/{ip.max_prefixlen}" for ip in read))


def _own(node: t.Mapping[str, t.Any]) -> list[str]:
    """Return from where a node asks its own door: the address of the door, or any where that is a name."""
    return [node["address"]] if _ip(node["address"]) else node["addresses"]


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def mistakes(
    nodes: t.Mapping[str, t.Mapping[str, t.Any]], fleet: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]
) -> list[str]:
    """Return one sentence per mistake of the wishes."""
    found = []
    if wishes["server"] and wishes["server"] not in nodes:
        found.append(f"monitoring_fleet: {wishes['server']} is not among the nodes")
    elif wishes["server"] and not networks(nodes[wishes["server"]]["addresses"]):
        found.append(
            f"monitoring_nodes: no address of {wishes['server']} is known, so the doors would let in anyone with the token; "
            "set its ansible_host to an address, or do not leave it out with --limit, so that it can be read"
        )
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
