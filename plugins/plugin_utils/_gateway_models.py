# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From deployments to what clients see: ports, the models on each, the replicas of each model.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import re
import typing as t

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
UPSTREAM = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
#: Names of models stand in the configuration and in paths of URLs.
SERVED_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:@+/-]*[A-Za-z0-9])?")
#: Weights as HAProxy knows them; 0 gets no new conversation.
WEIGHT = 100
MOST_WEIGHT = 256

Server = dict[str, t.Any]


def servers(
    deployments: t.Any, default_port: t.Any, ports: t.Mapping[str, t.Any], weights: t.Mapping[str, t.Any]
) -> tuple[list[Server], list[str]]:
    """Return ``[{"name", "served_name", "upstreams", "port", "weight"}]``, one per deployment, and mistakes.

    ``ports`` and ``weights`` are by name of the deployment, where it has its own.
    """
    if not isinstance(deployments, list) or not deployments:
        return [], ["gateway_deployments: name at least one deployment, with name, served_name and upstreams"]
    found: list[Server] = []
    mistakes: list[str] = []
    for number, deployment in enumerate(deployments):
        where = f"gateway_deployments[{number}]"
        if not isinstance(deployment, dict):
            mistakes.append(f"{where}: must have name, served_name and upstreams")
            continue
        name: t.Any = deployment.get("name")
        mistakes += _deployment_mistakes(deployment, where)
        if any(other["name"] == name for other in found):
            mistakes.append(f"{where}.name: {name} is used twice")
        port, port_mistakes = whole(ports.get(name, default_port), f"gateway_ports.{name}", 1, 65535)
        weight, weight_mistakes = whole(weights.get(name, WEIGHT), f"gateway_weights.{name}", 0, MOST_WEIGHT)
        # A default port that is wrong has been named once.
        mistakes += (port_mistakes if name in ports else []) + weight_mistakes
        keep = {key: deployment.get(key) for key in ("served_name", "upstreams")}
        found.append({"name": name, **keep, "port": port, "weight": weight})
    names = [one["name"] for one in found]
    for variable, wish in (("gateway_ports", ports), ("gateway_weights", weights)):
        mistakes += [f"{variable}.{name}: no deployment has this name" for name in wish if name not in names]
    return found, mistakes


def models(found: t.Iterable[Server], replica_requests: int, queue_requests: int) -> list[dict[str, t.Any]]:
    """Return ``[{"name", "served_name", "port", "replicas": [{"name", "address", "weight"}], "question", "listed", "is_spread",
    "most_requests"}]``.

    Deployments with one served name on one port are replicas of one model. ``question`` is the body of the request by which the
    gateway learns whether a replica makes tokens, ``listed`` the answer to who asks for the model, ``most_requests`` how many may
    be with its replicas and wait together.
    """
    grouped: dict[tuple[int, str], dict[str, t.Any]] = {}
    for one in found:
        question = {"model": one["served_name"], "messages": [{"role": "user", "content": "."}], "max_tokens": 1}
        model = grouped.setdefault(
            (one["port"], one["served_name"]),
            {
                "name": one["name"],
                "served_name": one["served_name"],
                "port": one["port"],
                "replicas": [],
                "question": _json(question),
                "listed": _json(listed(one["served_name"])),
            },
        )
        several = len(one["upstreams"]) > 1
        model["replicas"] += [
            {
                "name": f"{one['name']}-{number}" if several else one["name"],
                "address": upstream,
                "weight": one["weight"],
            }
            for number, upstream in enumerate(one["upstreams"])
        ]
    for model in grouped.values():
        count = len(model["replicas"])
        model |= {"is_spread": count > 1, "most_requests": count * replica_requests + queue_requests}
    return list(grouped.values())


def listeners(found: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return ``[{"port", "models": [model], "answer": the text of GET /v1/models}]``, one per port."""
    ports: dict[int, list[t.Mapping[str, t.Any]]] = {}
    for model in found:
        ports.setdefault(model["port"], []).append(model)
    return [
        {
            "port": port,
            "models": served,
            "answer": _json({"object": "list", "data": [listed(one["served_name"]) for one in served]}),
        }
        for port, served in ports.items()
    ]


def listed(served_name: str) -> dict[str, t.Any]:
    """Return a model as OpenAI's list of models has it."""
    return {"id": served_name, "object": "model", "created": 0, "owned_by": "gpufleet"}


def pages(wishes: t.Any) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Return ``[{"name", "port", "upstream"}]`` of web pages behind the gateway's TLS, and mistakes."""
    if not isinstance(wishes, list):
        return [], ["gateway_pages: must be a list of name, port and upstream"]
    found: list[dict[str, t.Any]] = []
    mistakes: list[str] = []
    for number, wish in enumerate(wishes):
        where = f"gateway_pages[{number}]"
        page = wish if isinstance(wish, dict) else {}
        mistakes += name_mistakes(page.get("name"), where) + upstream_mistakes(
            page.get("upstream"), f"{where}.upstream"
        )
        port, port_mistakes = whole(page.get("port"), f"{where}.port", 1, 65535)
        mistakes += port_mistakes
        if any(other["name"] == page.get("name") for other in found):
            mistakes.append(f"{where}.name: {page.get('name')} is used twice")
        found.append({"name": page.get("name"), "port": port, "upstream": page.get("upstream")})
    return found, mistakes


def whole(value: t.Any, where: str, least: int, most: int) -> tuple[int | None, list[str]]:
    """Return a number that the user wrote, or None and the mistake."""
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,5}", str(value)) or not least <= int(value) <= most:
        return None, [f"{where}: must be {least} to {most}, not {value!r}"]
    return int(value), []


def name_mistakes(name: t.Any, where: str) -> list[str]:
    """Look at a name that stands in the configuration."""
    if isinstance(name, str) and NAME.fullmatch(name):
        return []
    return [f"{where}.name: must have small letters, digits, - and _, not {name!r}"]


def upstream_mistakes(upstream: t.Any, where: str) -> list[str]:
    """Look at where something listens."""
    found = UPSTREAM.fullmatch(str(upstream))
    return [] if found and 1 <= int(found[1]) <= 65535 else [f"{where}: must be address:port, not {upstream!r}"]


def _json(data: t.Mapping[str, t.Any]) -> str:
    return json.dumps(data, separators=(",", ":"))


def _deployment_mistakes(deployment: t.Mapping[str, t.Any], where: str) -> list[str]:
    mistakes = name_mistakes(deployment.get("name"), where)
    served_name, upstreams = deployment.get("served_name"), deployment.get("upstreams")
    if not isinstance(served_name, str) or not served_name:
        mistakes.append(f"{where}.served_name: must be the name by which clients ask for the model")
    elif not SERVED_NAME.fullmatch(served_name):
        mistakes.append(f"{where}.served_name: must have letters, digits and . _ : @ + / -, not {served_name!r}")
    if not isinstance(upstreams, list) or not upstreams:
        return [*mistakes, f"{where}.upstreams: must list where the engine listens, as [127.0.0.1:8000]"]
    return mistakes + [one for upstream in upstreams for one in upstream_mistakes(upstream, f"{where}.upstreams")]
