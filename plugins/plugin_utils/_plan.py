# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From wishes and facts to plans, or to one list of all mistakes.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import (
    _docker_run,
    _gpu_ledger,
    _kernel_cache,
    _plan_fabric,
    _plan_text,
    _ray,
    _ready_budget,
    _registry,
    _sizing_overview,
    _sizing_text,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._chat_template import forced_think
from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import (
    FILES_IN_CONTAINER,
    SSH_IN_CONTAINER,
    Engine,
    Place,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._members import Member
from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan_mistakes import (
    TEMPLATE_FILE,
    Wishes,
    claims_of,
    deployments_of,
    images,
    in_order,
    members_of,
    merged,
    needs_ray,
    on_ray,
    platforms,
    ports,
    ray_head,
    speeds,
    texts,
)

#: GPU numbers by deployment and node, of engines without Ray.
Dealt = t.Mapping[tuple[str, str], t.Sequence[int]]

LOOPBACK = "127.0.0.1"

#: What a killed engine leaves: shared memory, and the sockets that vLLM names after a UUID.
LEFT_BEHIND = ("/dev/shm/psm_*", "/dev/shm/*cpushm*")
UUID_GLOB = "-".join("?" * length for length in (8, 4, 4, 4, 12))


class MistakesError(Exception):
    """The wishes cannot be planned; ``args[0]`` is the list of all reasons."""


def plan(wishes: Wishes) -> dict[str, t.Any]:
    """Return {ray, deployments: [plan], endpoints: [{name, served_name, upstreams}], table and explained: lines for people,
    suspects: {node: [{rank, engine, container, unit}]} whose logs tell why a deployment does not start}.

    Raises MistakesError with every mistake found.
    """
    mistakes: list[str] = [*merged(wishes.mistakes), *texts(wishes), *platforms(wishes), *speeds(wishes)]
    members, more = members_of(wishes)
    mistakes += more
    deployments, more = deployments_of(wishes, list(wishes.nodes))
    mistakes += more
    mistakes += images(wishes, deployments)
    mistakes += _ray.port_mistakes(wishes.ray["ports"])
    if wishes.ray["head"] and wishes.ray["head"] not in wishes.nodes:
        mistakes.append(f"ray_cluster_head: {wishes.ray['head']} is not in gpu_nodes ({', '.join(wishes.nodes)})")
    if not mistakes:
        mistakes += _gpu_ledger.mistakes(deployments, members) + on_ray(wishes, deployments)
        mistakes += ports(wishes, deployments, members)
        mistakes += _plan_fabric.mistakes(_fabric(wishes), deployments)
    accounts = {} if mistakes else {one.name: _account(one, wishes, members) for one in deployments}
    for one in deployments if accounts else ():
        mistakes += _sizing_overview.refusals(one.name, accounts[one.name], one.force)
    if mistakes:
        raise MistakesError(mistakes)
    dealt, left = _gpu_ledger.deal(deployments, members)
    members = {name: dataclasses.replace(one, ray_gpus=tuple(left[name])) for name, one in members.items()}
    head = members[ray_head(wishes, deployments)]
    ordered = [head, *[one for one in members.values() if one.name != head.name]]
    ray_options = {
        **wishes.ray,
        "image_identity": _identity(wishes.ray["image"], wishes),
        **_ray_caches(wishes, deployments),
        # Ray's workers are the engine's.
        "fabric": {node: _plan_fabric.needs(_fabric(wishes), node) for node in _crossed_by_ray(deployments)},
    }
    plans = [_deployment_plan(one, wishes, members, head, accounts[one.name], dealt) for one in deployments]
    ray = _ray.plan(ordered, head, wishes.ray["ports"], wishes.ray["image"], ray_options)
    ray["needed"] = needs_ray(deployments)
    if not ray["needed"]:
        ray |= {"closed_ports": [], "probes_from_outside": []}
    # An engine answers without a key: clients come through the gateway, so its own ports are closed like Ray's.
    closed = [{**where, "what": f"engine {one['name']}"} for one in plans for where in one["closed"]]
    ray["closed_ports"] = [*ray["closed_ports"], *sorted({one["port"] for one in closed})]
    ray["probes_from_outside"] = [*ray["probes_from_outside"], *closed]
    return {
        "table": _sizing_text.table(
            [{"title": f"{one.name} × {len(one.nodes)}", "result": accounts[one.name]} for one in deployments]
        ),
        "ray": ray,
        "explained": [
            *_plan_text.lines(plans, {one.name: _proposals(one, wishes, members) for one in deployments}),
            *_plan_fabric.lines(_fabric(wishes), _plan_fabric.crossed(deployments)),
        ],
        "deployments": plans,
        "suspects": _suspects(plans, ray),
        "endpoints": [
            {
                "name": one["name"],
                "served_name": one["served_name"],
                "upstreams": [f"{one['listen_address']}:{one['port']}"],
            }
            for one in plans
        ],
    }


def _fabric(wishes: Wishes) -> _plan_fabric.Fabric:
    found: _plan_fabric.Fabric = wishes.ray.get("fabric", {})
    return found


def _crossed_by_ray(deployments: t.Sequence[Deployment]) -> list[str]:
    return _plan_fabric.crossed(one for one in deployments if _registry.engine(one.engine).needs_ray)


def _cache(wishes: Wishes, node: str, image: str) -> list[str]:
    kind = wishes.nodes[node].get("gpu", {}).get("gpu_kind", "")
    return _kernel_cache.mount(wishes.ray.get("cache_directory", ""), image, _identity(image, wishes), kind)


def _ray_caches(wishes: Wishes, deployments: t.Sequence[Deployment]) -> dict[str, t.Any]:
    """Return {cache_mounts: {node: mounts}, cache_environment}: what Ray's workers compile is the engine's."""
    engines = [_registry.engine(one.engine) for one in deployments]
    caches = {name: folder for one in engines if one.needs_ray for name, folder in one.caches.items()}
    mounts = {node: _cache(wishes, node, wishes.ray["image"]) for node in wishes.nodes}
    environment = _kernel_cache.variables(caches, next(iter(mounts.values())))
    return {"cache_mounts": mounts, "cache_environment": {name: value for name, (value, _why) in environment.items()}}


def _suspects(
    plans: t.Sequence[t.Mapping[str, t.Any]], ray: t.Mapping[str, t.Any]
) -> dict[str, list[dict[str, t.Any]]]:
    found: dict[str, list[dict[str, t.Any]]] = {}
    for one in plans:
        for rank in one["ranks"]:
            suspect = {"rank": rank["rank"], "engine": one["engine"], **rank["identity"]}
            found.setdefault(rank["node"], []).append(suspect)
    for at, (node, member) in enumerate(ray["members"].items() if ray["needed"] else ()):
        suspect = {"rank": at, "engine": "ray", "container": member["container"], "unit": member["unit"]}
        found.setdefault(node, []).append(suspect)
    return found


def _account(one: Deployment, wishes: Wishes, members: t.Mapping[str, Member]) -> dict[str, t.Any]:
    """Return whether the deployment fits on its nodes, by how much, and what it then offers."""
    return _sizing_overview.account(*_to_size(one, wishes, members))


def _proposals(one: Deployment, wishes: Wishes, members: t.Mapping[str, Member]) -> dict[str, t.Any]:
    """Return the smallest and the fastest split that fits on the deployment's nodes."""
    return _sizing_overview.proposals(*_to_size(one, wishes, members))


def _to_size(
    one: Deployment, wishes: Wishes, members: t.Mapping[str, Member]
) -> tuple[t.Any, t.Any, list[dict[str, t.Any]]]:
    """Return (wish, model, nodes) as sizing takes them."""
    # Not asdict: it would build Ansible's containers anew, which they refuse.
    wish = {**vars(one), "image": one.image or _registry.engine(one.engine).image}
    seen = [_is_warm(one, name, wishes) for name in one.nodes]
    # Of an engine on Ray only the driver's node is noted; a start waits for the last of the others.
    together = any if _registry.engine(one.engine).needs_ray else all
    warm = None if None in seen else together(seen)
    nodes = [
        {
            "name": name,
            "gpus": _gpu_ledger.taken(one, members[name]),
            "read_gbs": wishes.nodes[name].get("read_gbs") or None,
            "warm": warm,
            **wishes.nodes[name].get("gpu", {}),
        }
        for name in one.nodes
    ]
    return wish, wishes.models[one.model], nodes


def _is_warm(one: Deployment, node: str, wishes: Wishes) -> bool | None:
    """Tell whether the deployment has become ready on the node with the kernels that lie there; None where nobody looked."""
    seen = wishes.nodes[node]["facts"].get("kernel_caches")
    cache = _kernel_cache.owned(_cache(wishes, node, one.image or _registry.engine(one.engine).image), one.name)
    return None if seen is None or not cache else one.name in seen.get(cache["cache"]["directory"], [])


def _identity(image: str, wishes: Wishes) -> str:
    """Return what tells this image from another one of the same name; empty when the wishes do not say."""
    return str(wishes.images.get(image, {}).get("identity", ""))


# --- planning --------------------------------------------------------------------------------------------------------


def _deployment_plan(
    one: Deployment,
    wishes: Wishes,
    members: t.Mapping[str, Member],
    head: Member,
    account: t.Mapping[str, t.Any],
    dealt: Dealt,
) -> dict[str, t.Any]:
    engine = _registry.engine(one.engine)
    model = wishes.models[one.model]
    nodes = in_order(one, head.name)
    first = members[nodes[0]]
    # Behind a gateway on the same node, and only there, the engine needs no other listener than loopback.
    listen = LOOPBACK if set(wishes.gateway["nodes"]) <= {first.name} else first.address
    budget = _budget(one, engine, wishes, account, nodes)
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
            gpus=_gpu_ledger.taken(one, members[node]),
            nodes=len(nodes),
            addresses=tuple(members[name].address for name in nodes),
        )
        numbers = members[node].for_ray if engine.needs_ray else dealt[one.name, node]
        rank = _rank_plan(one, engine, place, wishes, [members[name] for name in nodes], numbers)
        rank["spec"] |= budget
        ranks.append(rank)
    return {
        "name": one.name,
        "engine": one.engine,
        "served_name": one.served_name,
        "model": one.model,
        "model_directory": model["directory"],
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
        "closed": _closed(one, [members[node].address for node in nodes]),
        "sizing": dict(account),
        **budget,
        "ranks": ranks,
    }


def _budget(
    one: Deployment, engine: Engine, wishes: Wishes, account: t.Mapping[str, t.Any], nodes: t.Sequence[str]
) -> dict[str, t.Any]:
    """Return {ready_budget_seconds, budget} of a deployment, see _ready_budget."""
    model = wishes.models[one.model]
    return _ready_budget.parts(
        declared=one.ready_budget_seconds,
        begin_seconds=engine.begin_seconds,
        compile_seconds=engine.compile_seconds,
        read_bytes=int(account.get("load_gib", 0) * _sizing_overview.GIB) or model.get("bytes") or 0,
        directory=model["directory"],
        speeds={node: wishes.nodes[node].get("read_gbs") or 0.0 for node in nodes},
        # Each rank asks its own node; of Ray's workers only the driver's.
        unseen=nodes[1:] if engine.needs_ray else (),
    )


def _closed(one: Deployment, addresses: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """Return {address, port} of each port that outsiders must not reach, once, at a node where it is listened on."""
    found = {port: addresses[0] for port, _what in claims_of(one, True)}
    for address in addresses[1:2]:
        found = {port: address for port, _what in claims_of(one, False)} | found
    return [{"address": address, "port": port} for port, address in sorted(found.items())]


def _rank_plan(
    one: Deployment,
    engine: Engine,
    place: Place,
    wishes: Wishes,
    members: t.Sequence[Member],
    gpu_numbers: t.Sequence[int],
) -> dict[str, t.Any]:
    ray, unit = wishes.ray, f"gpufleet-engine-{one.name}"
    name = f"{unit}-rank{place.rank}"
    reasoned = engine.env(one, place)
    image = one.image or engine.image
    cache = _cache(wishes, place.node, image)
    reasoned |= _kernel_cache.variables(engine.caches, cache)
    fabric = _plan_fabric.needs(_fabric(wishes), place.node, wanted=place.nodes > 1)
    reasoned |= fabric["environment"]
    files = engine.files(one)
    if one.forced_think:
        files[TEMPLATE_FILE] = forced_think(wishes.models[one.model]["chat_template"])
    mounts = [*engine.mounts(one, place), *cache, *fabric["mounts"], *one.mounts]
    mounts += [f"{wishes.directory}/plans/{unit}/{file}:{FILES_IN_CONTAINER}/{file}:ro" for file in files]
    ssh = one.name if engine.needs_ssh and place.nodes > 1 else ""
    mounts += [f"{wishes.directory}/ssh/{ssh}:{SSH_IN_CONTAINER}:ro"] if ssh else []
    waits: list[dict[str, t.Any]] = []
    own = next(member for member in members if member.name == place.node)
    if engine.needs_ray:
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
    container: dict[str, t.Any] = {
        # Ray 2.60 finds the node of a driver by the raylet in the process list. It also ends the driver with its raylet.
        "pid_of": _ray.CONTAINER if engine.needs_ray else None,
        "image": image,
        "argv": engine.argv(one, place),
        "env": {key: value for key, (value, _why) in reasoned.items()} | dict(one.environment),
        "mounts": mounts,
        "gpus": _docker_run.gpu_access(ray, place.node, place.gpus),
        "gpu_numbers": _docker_run.gpu_numbers(gpu_numbers, own.gpus),
        "devices": list(dict.fromkeys([*ray.get("devices", []), *fabric["devices"]])),
        "raise_limits": own.raise_limits,
    }
    probes = engine.probes(one, place)
    return {
        "node": place.node,
        "rank": place.rank,
        "unit": f"{unit}.service",
        "container": name,
        "identity": {"unit": f"{unit}.service", "container": name},
        "argv": container["argv"],
        "files": files,
        "ssh": ssh,
        "reasons": {key: why for key, (_value, why) in reasoned.items()},
        "spec": {
            "container": {"name": name, "run": _docker_run.arguments(container), "stop_seconds": 30},
            # Not read by the supervisor: a new image under the old name makes a new spec, and so a restart.
            "image": _identity(container["image"], wishes),
            "sweep": [
                *LEFT_BEHIND,
                *engine.left_behind,
                *([f"{ray['session_directory']}/{UUID_GLOB}"] if engine.needs_ray else []),
            ],
            "ports": [
                {"address": place.listen_address if port == one.port else place.address, "port": port}
                for port, _what in claims_of(one, not place.rank)
                # Its supervisor listens there already.
                if port != one.supervisor_port
            ],
            "waits": waits,
            "ready": probes["ready"],
            "alive": probes["alive"],
            "wait_budget_seconds": 600,
            "watch_seconds": 5,
            "alive_failures": 6,
            **_kernel_cache.owned(cache, one.name),
            "give_up": {"failures": 6, "window_seconds": 3600, "delays_seconds": [2, 5, 15, 30, 60]},
            **_together(one, engine, place, members),
        },
    }


def _together(one: Deployment, engine: Engine, place: Place, members: t.Sequence[Member]) -> dict[str, t.Any]:
    """Return {group, process, drain} of a rank's spec: its neighbours, what must run, how its stop waits; where there is any."""
    drain = engine.drain(one, place)
    found: dict[str, t.Any] = {"drain": drain} if drain else {}
    if engine.process and len(members) > 1 and not place.rank:
        found["process"] = engine.process
    # Of a Ray engine only the head runs a container; Ray itself knows of its workers.
    if not engine.needs_ray and len(members) > 1:
        ordered = engine.start_order([member.name for member in members])
        addresses = {member.name: member.address for member in members}
        peers = [{"rank": rank, "address": addresses[name]} for rank, name in enumerate(ordered) if rank != place.rank]
        found["group"] = {
            "name": one.name,
            "rank": place.rank,
            "address": place.address,
            "port": one.supervisor_port,
            "peers": peers,
        }
    return found
