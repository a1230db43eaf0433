# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From wishes and facts to plans, or to one list of all mistakes.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _docker_run, _ray, _registry
from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import PLACEHOLDER, Deployment, parse
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import Engine, Place
from ansible_collections.gpufleet.inference.plugins.plugin_utils._members import Member, member

LOOPBACK = "127.0.0.1"

#: What a killed engine leaves: shared memory, and the sockets that vLLM names after a UUID.
LEFT_BEHIND = ("/dev/shm/psm_*", "/dev/shm/*cpushm*")
UUID_GLOB = "-".join("?" * length for length in (8, 4, 4, 4, 12))


@dataclasses.dataclass(frozen=True)
class Wishes:
    """Everything that the user wrote and the controller saw, as plain data.

    deployments  items of engine_deployments
    nodes        {name: {facts, platform, address, interface, gpus}}; facts of node_facts, platform "" when unknown
    known_platforms
    models       {name: {directory, config: dict or None, bytes, problem}} as seen on the controller
    images       {reference: {archive_problem, identity}} declared in container_runtime_images
    ray          {head, ports, image, token_path, session_directory, mounts, object_store_gib, gpu_containers,
                 gpu_access: {node: cdi, runtime or hook}}
    gateway      {node: name or "", port}
    texts        {variable: text} in which placeholders are looked for
    mistakes     {node: sentences}: what other roles found wrong with their own wishes
    """

    deployments: t.Sequence[t.Mapping[str, t.Any]]
    nodes: t.Mapping[str, t.Mapping[str, t.Any]]
    known_platforms: t.Sequence[str]
    models: t.Mapping[str, t.Mapping[str, t.Any]]
    images: t.Mapping[str, t.Mapping[str, t.Any]]
    ray: t.Mapping[str, t.Any]
    gateway: t.Mapping[str, t.Any]
    texts: t.Mapping[str, str]
    mistakes: t.Mapping[str, t.Sequence[str]] = dataclasses.field(default_factory=dict)


class MistakesError(Exception):
    """The wishes cannot be planned; ``args[0]`` is the list of all reasons."""


def plan(wishes: Wishes) -> dict[str, t.Any]:
    """Return {ray, deployments: [plan], endpoints: [{name, served_name, upstreams}]}.

    Raises MistakesError with every mistake found.
    """
    mistakes: list[str] = [*merged(wishes.mistakes), *_texts(wishes), *_platforms(wishes)]
    members, more = _members(wishes)
    mistakes += more
    deployments, more = _deployments(wishes, list(wishes.nodes))
    mistakes += more
    mistakes += _images(wishes, deployments)
    mistakes += _ray.port_mistakes(wishes.ray["ports"])
    if wishes.ray["head"] and wishes.ray["head"] not in wishes.nodes:
        mistakes.append(f"ray_cluster_head: {wishes.ray['head']} is not in gpu_nodes ({', '.join(wishes.nodes)})")
    if not mistakes:
        mistakes += _sizes(deployments, members) + _ports(wishes, deployments, members)
    if mistakes:
        raise MistakesError(mistakes)
    head = members[wishes.ray["head"] or _first_node(deployments) or next(iter(members))]
    ordered = [head, *[one for one in members.values() if one.name != head.name]]
    ray_options = {**wishes.ray, "image_identity": _identity(wishes.ray["image"], wishes)}
    plans = [_deployment_plan(one, wishes, members, head) for one in deployments]
    ray = _ray.plan(ordered, head, wishes.ray["ports"], wishes.ray["image"], ray_options)
    # An engine answers without a key: clients come through the gateway, so its own port is closed like Ray's.
    ray["closed_ports"] = [*ray["closed_ports"], *sorted({one["port"] for one in plans})]
    ray["probes_from_outside"] = [
        *ray["probes_from_outside"],
        *[{"address": one["head_address"], "port": one["port"], "what": f"engine {one['name']}"} for one in plans],
    ]
    return {
        "ray": ray,
        "deployments": plans,
        "endpoints": [
            {
                "name": one["name"],
                "served_name": one["served_name"],
                "upstreams": [f"{one['listen_address']}:{one['port']}"],
            }
            for one in plans
        ],
    }


def merged(mistakes: t.Mapping[str, t.Sequence[str]]) -> list[str]:
    """Return each sentence of ``{node: sentences}`` once; one that not all nodes share begins with those that have it."""
    having: dict[str, list[str]] = {}
    for node, sentences in mistakes.items():
        for sentence in dict.fromkeys(sentences):
            having.setdefault(sentence, []).append(node)
    return [
        sentence if len(nodes) == len(mistakes) else f"{', '.join(nodes)}: {sentence}"
        for sentence, nodes in having.items()
    ]


def _identity(image: str, wishes: Wishes) -> str:
    """Return what tells this image from another one of the same name; empty when the wishes do not say."""
    return str(wishes.images.get(image, {}).get("identity", ""))


def _first_node(deployments: t.Sequence[Deployment]) -> str:
    return next((one.nodes[0] for one in deployments if one.nodes), "")


# --- looking for mistakes --------------------------------------------------------------------------------------------


def _texts(wishes: Wishes) -> list[str]:
    return [
        f"{variable}: {text!r} is a placeholder of the example; write your own value, or remove it to have one made"
        for variable, text in wishes.texts.items()
        if PLACEHOLDER.search(text)
    ]


def _platforms(wishes: Wishes) -> list[str]:
    return [
        f"{name}: {node['facts']['distribution']} {node['facts']['distribution_version']} has no platform table; "
        f"known are {', '.join(wishes.known_platforms)}"
        for name, node in wishes.nodes.items()
        if not node["platform"]
    ]


def _members(wishes: Wishes) -> tuple[dict[str, Member], list[str]]:
    found: dict[str, Member] = {}
    mistakes: list[str] = []
    for name, node in wishes.nodes.items():
        one, more = member(name, node["facts"], node.get("address"), node.get("interface"), node.get("gpus"))
        mistakes += more
        if one:
            found[name] = one
    for name, one in found.items():
        same = [other for other in found.values() if other.address == one.address and other.name < name]
        mistakes += [f"{name} and {other.name} both have the address {one.address}" for other in same]
    return found, mistakes


def _deployments(wishes: Wishes, nodes: list[str]) -> tuple[list[Deployment], list[str]]:
    found: list[Deployment] = []
    mistakes: list[str] = []
    for at, wish in enumerate(wishes.deployments):
        where = f"engine_deployments[{at}]"
        deployment, more = parse(wish, where)
        mistakes += more
        if deployment is None:
            continue
        if not deployment.nodes:
            deployment = dataclasses.replace(deployment, nodes=tuple(nodes))
        mistakes += [
            f"{where}.nodes: {name} is not in gpu_nodes ({', '.join(nodes)})"
            for name in deployment.nodes
            if name not in nodes
        ]
        if len(set(deployment.nodes)) != len(deployment.nodes):
            mistakes.append(f"{where}.nodes: a node stands there twice")
        mistakes += _engine_mistakes(deployment, where) + _model_mistakes(deployment, where, wishes)
        mistakes += [
            f"{where}.name: {deployment.name} is also the name of an earlier deployment"
            for other in found
            if other.name == deployment.name
        ]
        found.append(deployment)
    return found, mistakes


def _engine_mistakes(deployment: Deployment, where: str) -> list[str]:
    if deployment.engine not in _registry.names():
        return [f"{where}.engine: {deployment.engine!r} is unknown; known are {', '.join(_registry.names())}"]
    return _registry.engine(deployment.engine).mistakes(deployment, where)


def _model_mistakes(deployment: Deployment, where: str, wishes: Wishes) -> list[str]:
    model = wishes.models.get(deployment.model)
    if model is None:
        known = ", ".join(sorted(wishes.models)) or "none"
        return [f"{where}.model: {deployment.model!r} is not in model_store_models ({known})"]
    if not model.get("problem") or _told(wishes, deployment.model):
        return []
    return [f"model_store_models, {deployment.model}: {model['problem']}"]


def _told(wishes: Wishes, subject: str) -> bool:
    """Tell whether another role has already named a mistake of that model or image."""
    return any(subject in one for one in wishes.mistakes)


def _images(wishes: Wishes, deployments: t.Sequence[Deployment]) -> list[str]:
    mistakes = [
        f"container_runtime_images, {name}: {image['archive_problem']}"
        for name, image in wishes.images.items()
        if image.get("archive_problem") and not _told(wishes, name)
    ]
    wanted = {
        one.image or _registry.engine(one.engine).image: f"the image of deployment {one.name}"
        for one in deployments
        if one.engine in _registry.names()
    }
    if deployments:
        wanted[wishes.ray["image"]] = "ray_cluster_image"
    for image, what in wanted.items():
        if not image:
            mistakes.append(f"{what}: is missing; name an image of container_runtime_images")
        elif image not in wishes.images and not _on_every_node(image, wishes):
            mistakes.append(
                f"{what}: {image} is neither in container_runtime_images ({', '.join(wishes.images) or 'none'}) "
                "nor on every node; add it there with a digest or an archive"
            )
    return mistakes


def _on_every_node(image: str, wishes: Wishes) -> bool:
    return all(image in node["facts"].get("docker", {}).get("images", {}) for node in wishes.nodes.values())


def _sizes(deployments: t.Sequence[Deployment], members: t.Mapping[str, Member]) -> list[str]:
    """Compare ranks with nodes and GPUs. Each member of a group gets the same number of ranks."""
    mistakes: list[str] = []
    for one in deployments:
        where = f"deployment {one.name}"
        gpus = sum(members[node].gpus for node in one.nodes)
        product = (
            f"tensor_parallel {one.tensor_parallel} × pipeline_parallel {one.pipeline_parallel} = {one.ranks} ranks"
        )
        without = [node for node in one.nodes if not members[node].gpus]
        if without:
            mistakes.append(
                f"{where}: no GPU is seen on {', '.join(without)}; "
                "take it out of nodes, repair it, or declare ray_cluster_gpus"
            )
        elif one.ranks > gpus:
            mistakes.append(f"{where}: {product}, but its {len(one.nodes)} nodes have {gpus} GPUs")
        elif one.ranks % len(one.nodes):
            mistakes.append(
                f"{where}: {product} cannot be spread evenly over {len(one.nodes)} nodes; change the sizes or nodes"
            )
        elif one.ranks != gpus:
            mistakes.append(
                f"{where}: {product}, but its {len(one.nodes)} nodes have {gpus} GPUs; "
                "use all of them, name fewer nodes, or lower ray_cluster_gpus"
            )
    for at, one in enumerate(deployments):
        for other in deployments[:at]:
            shared = sorted(set(one.nodes) & set(other.nodes))
            if shared:
                mistakes.append(f"deployments {other.name} and {one.name} both want the GPUs of {', '.join(shared)}")
    return mistakes


def _ports(wishes: Wishes, deployments: t.Sequence[Deployment], members: t.Mapping[str, Member]) -> list[str]:
    """The ledger: no two users of one port on one node, and nobody else's listener on it."""
    mistakes: list[str] = []
    ray = dict(wishes.ray["ports"])
    for name in members:
        ledger: dict[int, str] = {
            port: f"ray_cluster_ports.{key}" for key, port in ray.items() if key not in _ray.RANGE
        }
        claims = [claim for one in deployments if name in one.nodes for claim in _claims(one, one.nodes[0] == name)]
        if wishes.gateway["node"] == name:
            claims.append((wishes.gateway["port"], "gateway_port"))
        for port, what in claims:
            if port in ledger:
                mistakes.append(f"{what} on {name}: {port} is already {ledger[port]}")
            elif ray["worker_min"] <= port <= ray["worker_max"]:
                mistakes.append(f"{what} on {name}: {port} lies in the range of Ray's workers")
            ledger.setdefault(port, what)
    return mistakes


def _claims(one: Deployment, is_first: bool) -> list[tuple[int, str]]:
    """Return (port, whose it is) of what a deployment listens on at its first node, or at another one."""
    engine = _registry.engine(one.engine)
    claims = [(one.port, f"the port of deployment {one.name}")] if is_first or engine.every_rank_listens else []
    if engine.meets and is_first and len(one.nodes) > 1:
        claims.append((one.rendezvous_port, f"the rendezvous_port of deployment {one.name}"))
    return claims


# --- planning --------------------------------------------------------------------------------------------------------


def _deployment_plan(
    one: Deployment, wishes: Wishes, members: t.Mapping[str, Member], head: Member
) -> dict[str, t.Any]:
    engine = _registry.engine(one.engine)
    model = wishes.models[one.model]
    # The driver of a Ray engine needs a raylet beside it and Ray's dashboard on loopback: both are on the head.
    nodes = sorted(one.nodes, key=lambda node: node != head.name) if engine.needs_ray else list(one.nodes)
    first = members[nodes[0]]
    # Behind a gateway on the same node the engine needs no other listener than loopback.
    listen = LOOPBACK if wishes.gateway["node"] in ("", first.name) else first.address
    ranks = []
    for number, node in enumerate(engine.start_order(nodes)):
        place = Place(
            node=node,
            rank=number,
            address=members[node].address,
            interface=members[node].interface,
            head_address=head.address if engine.needs_ray else first.address,
            # A rank that answers only for show does so where nobody asks it.
            listen_address=LOOPBACK if number else listen,
            model_directory=model["directory"],
            gpus=members[node].gpus,
            nodes=len(nodes),
        )
        ranks.append(_rank_plan(one, engine, place, wishes, [members[name] for name in nodes]))
    return {
        "name": one.name,
        "engine": one.engine,
        "served_name": one.served_name,
        "model": one.model,
        "image": one.image or engine.image,
        "nodes": nodes,
        "head": nodes[0],
        "head_address": first.address,
        "addresses": {node: members[node].address for node in nodes},
        "listen_address": listen,
        "port": one.port,
        "tensor_parallel": one.tensor_parallel,
        "pipeline_parallel": one.pipeline_parallel,
        "needs_ray": engine.needs_ray,
        "ready_budget_seconds": engine.ready_budget_seconds(one, model.get("bytes") or 0),
        "ranks": ranks,
    }


def _rank_plan(
    one: Deployment, engine: Engine, place: Place, wishes: Wishes, members: t.Sequence[Member]
) -> dict[str, t.Any]:
    ray, name = wishes.ray, f"gpufleet-engine-{one.name}-rank{place.rank}"
    reasoned = engine.env(one, place)
    mounts = [f"{place.model_directory}:{place.model_directory}:ro", *one.mounts]
    waits: list[dict[str, t.Any]] = []
    if engine.needs_ray:
        own = next(member for member in members if member.name == place.node)
        head = next(member for member in members if member.address == place.head_address)
        reasoned = _ray.environment(own, head, ray["ports"]) | reasoned
        mounts += [f"{ray['token_path']}:{_ray.TOKEN_IN_CONTAINER}:ro"]
        mounts += [f"{ray['session_directory']}:{_ray.SESSION_IN_CONTAINER}"]
        waits.append(
            {
                "kind": "ray_nodes",
                "url": f"http://{LOOPBACK}:{ray['ports']['dashboard']}/api/v0/nodes?detail=true",
                "token_path": ray["token_path"],
                "addresses": [member.address for member in members],
                "gpus": one.ranks,
            }
        )
    container = {
        # Ray 2.60 finds the node of a driver by the raylet in the process list. It also ends the driver with its raylet.
        "pid_of": _ray.CONTAINER if engine.needs_ray else None,
        "image": one.image or engine.image,
        "argv": engine.argv(one, place),
        "env": {key: value for key, (value, _why) in reasoned.items()} | dict(one.environment),
        "mounts": mounts,
        "gpus": _docker_run.gpu_access(ray, place.node, place.gpus),
        "devices": ray.get("devices", []),
        "raise_limits": next(member.raise_limits for member in members if member.name == place.node),
    }
    probes = engine.probes(one, place)
    return {
        "node": place.node,
        "rank": place.rank,
        "unit": f"gpufleet-engine-{one.name}.service",
        "container": name,
        "identity": {"unit": f"gpufleet-engine-{one.name}.service", "container": name},
        "argv": container["argv"],
        "reasons": {key: why for key, (_value, why) in reasoned.items()},
        "spec": {
            "container": {"name": name, "run": _docker_run.arguments(container), "stop_seconds": 30},
            # Not read by the supervisor: a new image under the old name makes a new spec, and so a restart.
            "image": _identity(container["image"], wishes),
            "sweep": [*LEFT_BEHIND, *engine.left_behind, f"{ray['session_directory']}/{UUID_GLOB}"],
            "waits": waits,
            "ready": probes["ready"],
            "alive": probes["alive"],
            "wait_budget_seconds": 600,
            "ready_budget_seconds": engine.ready_budget_seconds(one, wishes.models[one.model].get("bytes") or 0),
            "watch_seconds": 5,
            "alive_failures": 6,
            "give_up": {"failures": 6, "window_seconds": 3600, "delays_seconds": [2, 5, 15, 30, 60]},
        },
    }
