# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which endpoints a load test drives: each wanted deployment, through the gateway and at its engine.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

ROUTES = ("gateway", "engine")

Target = dict[str, t.Any]


def targets(
    deployments: t.Sequence[t.Mapping[str, t.Any]],
    endpoints: t.Sequence[t.Mapping[str, t.Any]],
    gateway: t.Mapping[str, t.Any],
    wanted: t.Sequence[str],
    routes: t.Sequence[str],
) -> list[Target]:
    """Return the targets of a load test::

    {"name": "deepseek gateway", "deployment", "route": a word of ROUTES, "url" (without /v1), "model": the served name,
     "tokenizer": a directory on the nodes, "api_keys_path" and "ca_path" on the controller or "",
     "facts": {engine, image, nodes, tensor_parallel, pipeline_parallel}}

    ``deployments``, ``endpoints``: of the fleet's plan; ``gateway``: url, api_keys_path, ca_path, ports {deployment: port} where one
    has a port of its own; ``wanted``: names, none for all. Raises ValueError for an unknown name.
    An engine is asked where the gateway asks it, so the load has to come from the gateway's node.
    """
    known = {one["name"]: one for one in deployments}
    unknown = [*(set(wanted) - set(known)), *(set(routes) - set(ROUTES))]
    if unknown:
        raise ValueError(
            f"{', '.join(sorted(unknown))} is neither a deployment ({', '.join(known)}) nor a route ({', '.join(ROUTES)})"
        )
    upstreams = {one["name"]: one["upstreams"] for one in endpoints}
    found = []
    for name, plan in known.items():
        if wanted and name not in wanted:
            continue
        same = {
            "deployment": name,
            "model": plan["served_name"],
            "tokenizer": plan["model_directory"],
            "facts": {
                **{key: plan[key] for key in ("engine", "image", "tensor_parallel", "pipeline_parallel")},
                "nodes": len(plan["nodes"]),
            },
        }
        for route in routes:
            if route == "gateway":
                port = gateway.get("ports", {}).get(name)
                keys = {"api_keys_path": gateway["api_keys_path"], "ca_path": gateway["ca_path"] or ""}
                url = _with_port(str(gateway["url"]), port)
            else:
                keys, url = {"api_keys_path": "", "ca_path": ""}, f"http://{upstreams[name][0]}"
            found.append({"name": f"{name} {route}", "route": route, "url": url, **same, **keys})
    return found


def _with_port(url: str, port: int | None) -> str:
    """Return a URL with another port; an IPv6 address keeps its brackets."""
    if not port:
        return url
    scheme, _, rest = url.partition("://")
    host = rest if rest.endswith("]") or ":" not in rest else rest.rpartition(":")[0]
    return f"{scheme}://{host}:{port}"
