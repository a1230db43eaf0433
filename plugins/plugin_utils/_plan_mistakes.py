# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that can be wrong with the wishes for a fleet, each a sentence with the key to change.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _ray, _registry
from ansible_collections.gpufleet.inference.plugins.plugin_utils._chat_template import TemplateError, forced_think
from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import PLACEHOLDER, Deployment, parse
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import FILES_IN_CONTAINER
from ansible_collections.gpufleet.inference.plugins.plugin_utils._members import Member, member

#: Where a page of this host listens.
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
#: A chat template of ours, among the files of a rank's container.
TEMPLATE_FILE = "chat_template.jinja"


@dataclasses.dataclass(frozen=True)
class Wishes:
    """Everything that the user wrote and the controller saw, as plain data.

    deployments  items of engine_deployments
    nodes        {name: {facts, platform, address, interface, gpus, read_gbs, gpu}}; facts of node_facts, platform "" when
                 unknown, read_gbs the declared GB/s at which it reads weights,
                 gpu {gpu_gib, gpu_kind, gpu_gbs} of its poorest GPU, empty when its kind is not known
    known_platforms
    models       {name: {directory, config: dict or None, chat_template, tensors, bytes, problem}} as seen where the files are
    images       {reference: {archive_problem, identity}} declared in container_runtime_images
    ray          {head, ports, image, token_path, session_directory, mounts, object_store_gib, gpu_containers, cache_directory,
                 gpu_access: {node: cdi, runtime or hook}, fabric: see _plan_fabric}
    gateway      {nodes: names, ports: {variable: port}, pages: [{name, port, upstream}]}
    texts        {variable: text} in which placeholders are looked for
    directory    where the ranks' files lie on the nodes
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
    directory: str
    mistakes: t.Mapping[str, t.Sequence[str]] = dataclasses.field(default_factory=dict)


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


def needs_ray(deployments: t.Sequence[Deployment]) -> bool:
    """Tell whether any of the deployments runs on a Ray cluster."""
    return any(one.engine in _registry.names() and _registry.engine(one.engine).needs_ray for one in deployments)


def ray_head(wishes: Wishes, deployments: t.Sequence[Deployment]) -> str:
    """Return the node of Ray's head: the one that is wished for, else the first of the first deployment on Ray."""
    first = [one.nodes[0] for one in deployments if one.nodes and needs_ray([one])]
    return next(iter([*filter(None, [wishes.ray["head"]]), *first, *wishes.nodes]), "")


def in_order(one: Deployment, head: str) -> list[str]:
    """Return the nodes of a deployment, first the one that serves.

    The driver of a Ray engine needs a raylet beside it and Ray's dashboard on loopback: both are on Ray's head.
    """
    return sorted(one.nodes, key=lambda node: node != head) if needs_ray([one]) else list(one.nodes)


def on_ray(wishes: Wishes, deployments: t.Sequence[Deployment]) -> list[str]:
    """Refuse what Ray cannot keep apart: it places an engine on any of its GPUs, and the driver needs its head."""
    rays = [one for one in deployments if needs_ray([one])]
    head = ray_head(wishes, deployments)
    found = [
        f"deployment {one.name}: {one.engine} is served from Ray's head, {head}, which is not among its nodes; name it there, "
        "set ray_cluster_head, or write engine: vllm_native"
        for one in rays
        if head not in one.nodes
    ]
    wide = [one.name for one in rays if len(one.nodes) > 1]
    if len(rays) > 1 and wide and not found:
        names = ", ".join(one.name for one in rays)
        found.append(
            f"{names} run on one Ray, which deals GPUs out by itself: beside {wide[0]}, which has several nodes, no other is "
            "sure of its own. Write engine: vllm_native for all but one of them"
        )
    return found


def texts(wishes: Wishes) -> list[str]:
    """Look for placeholders of the examples."""
    return [
        f"{variable}: {text!r} is a placeholder of the example; write your own value, or remove it to have one made"
        for variable, text in wishes.texts.items()
        if PLACEHOLDER.search(text)
    ]


def platforms(wishes: Wishes) -> list[str]:
    """Name the nodes whose platform has no table."""
    return [
        f"{name}: {node['facts']['distribution']} {node['facts']['distribution_version']} has no platform table; "
        f"known are {', '.join(wishes.known_platforms)}"
        for name, node in wishes.nodes.items()
        if not node["platform"]
    ]


def speeds(wishes: Wishes) -> list[str]:
    """Refuse declared speeds of disks that are none."""
    return [
        f"engine_read_gbs of {name}: {node['read_gbs']!r} is no number of GB/s; write one such as 2.5, or leave it out"
        for name, node in wishes.nodes.items()
        if isinstance(node.get("read_gbs"), bool) or not isinstance(node.get("read_gbs") or 0, (int, float))
    ]


def members_of(wishes: Wishes) -> tuple[dict[str, Member], list[str]]:
    """Return ({name: member}, mistakes) of the nodes."""
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


def deployments_of(wishes: Wishes, nodes: list[str]) -> tuple[list[Deployment], list[str]]:
    """Return (deployments, mistakes) of what the user wrote; one without nodes has them all."""
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
        if deployment.forced_think:
            mistakes += _template_mistakes(deployment, where, wishes)
            template = {"chat_template": f"{FILES_IN_CONTAINER}/{TEMPLATE_FILE}"}
            deployment = dataclasses.replace(deployment, options={**deployment.options, **template})
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


def _template_mistakes(deployment: Deployment, where: str, wishes: Wishes) -> list[str]:
    if deployment.engine in _registry.names() and "chat_template" not in _registry.engine(deployment.engine).options:
        return [f"{where}.forced_think: {deployment.engine} takes no chat template"]
    if deployment.options.get("chat_template"):
        return [f"{where}.forced_think: options.chat_template is set too; leave one of them out"]
    model = wishes.models.get(deployment.model)
    if not model or model.get("problem"):
        return []
    if not model.get("chat_template"):
        return [
            f"{where}.forced_think: the chat template of {deployment.model} could not be read; name your own in options.chat_template"
        ]
    try:
        forced_think(model["chat_template"])
    except TemplateError as error:
        return [f"{where}.forced_think: {deployment.model}: {error}"]
    return []


def _told(wishes: Wishes, subject: str) -> bool:
    """Tell whether another role has already named a mistake of that model or image."""
    return any(subject in one for one in wishes.mistakes)


def images(wishes: Wishes, deployments: t.Sequence[Deployment]) -> list[str]:
    """Name the images that are wanted and cannot be had."""
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
    if needs_ray(deployments):
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


def ports(wishes: Wishes, deployments: t.Sequence[Deployment], members: t.Mapping[str, Member]) -> list[str]:
    """Keep the ledger: no two users of one port on one node. What listens there already the supervisor sees at a start."""
    mistakes: list[str] = []
    head = ray_head(wishes, deployments)
    ray = dict(wishes.ray["ports"]) if needs_ray(deployments) else dict.fromkeys(_ray.RANGE, 0)
    for name in members:
        ledger: dict[int, str] = {
            port: f"ray_cluster_ports.{key}" for key, port in ray.items() if key not in _ray.RANGE
        }
        claims = [
            claim
            for one in deployments
            if name in one.nodes
            for claim in claims_of(one, in_order(one, head)[0] == name)
        ]
        if name in wishes.gateway["nodes"]:
            own = wishes.gateway["ports"].items()
            claims += [(int(port), variable) for variable, port in own if not variable.startswith("gateway_pages")]
            claims += _page_claims(wishes.gateway.get("pages", []))
        for port, what in claims:
            if port in ledger:
                mistakes.append(f"{what} on {name}: {port} is already {ledger[port]}")
            elif ray["worker_min"] <= port <= ray["worker_max"]:
                mistakes.append(f"{what} on {name}: {port} lies in the range of Ray's workers")
            ledger.setdefault(port, what)
    return mistakes


def _page_claims(pages: t.Sequence[t.Mapping[str, t.Any]]) -> list[tuple[int, str]]:
    """Return (port, whose it is) of what pages behind the gateway listen on, the gateway for them and they themselves.

    A page on another host takes no port here. The gateway's own mistakes name pages without a port.
    """
    claims = []
    for page in pages:
        name = page.get("name")
        address, _colon, own = str(page.get("upstream")).rpartition(":")
        if str(page.get("port")).isdecimal():
            claims.append((int(page["port"]), f"the port of the page {name}"))
        if address in LOOPBACK and own.isdecimal():
            claims.append((int(own), f"the port on loopback of the page {name}"))
    return claims


def claims_of(one: Deployment, is_first: bool) -> list[tuple[int, str]]:
    """Return (port, whose it is) of what a deployment listens on at its first node, or at another one."""
    engine = _registry.engine(one.engine)
    claims = [(one.port, f"the port of deployment {one.name}")] if is_first or engine.every_rank_listens else []
    # Ranks meet at the first node; over SSH it is the first one that goes to all others.
    if engine.meets and is_first is not engine.needs_ssh and len(one.nodes) > 1:
        claims.append((one.rendezvous_port, f"the rendezvous_port of deployment {one.name}"))
    if not engine.needs_ray and len(one.nodes) > 1:
        claims.append((one.supervisor_port, f"the supervisor_port of deployment {one.name}"))
    further = engine.further_ports(one) if is_first else {}
    return [*claims, *[(port, f"{what} of deployment {one.name}") for port, what in further.items()]]
