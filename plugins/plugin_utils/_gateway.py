# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what the gateway serves: which deployment on which port, which pages, which keys; and name every mistake.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Names and keys end up in the configuration of nginx, so only characters that mean nothing there are let through.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
KEY = re.compile(r"[A-Za-z0-9_-]{20,}")
UPSTREAM = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
#: What examples write in place of a key. Generated keys hold no - or _, so that none is taken for a placeholder.
PLACEHOLDER = re.compile(r"(?:sk-)?(?:<|change.?me|place.?holder|example|(?:secret|your|replace)[-_])", re.IGNORECASE)
#: Loopback stands in every self-signed certificate, for calls on the gateway host itself.
LOOPBACK = ("localhost", "127.0.0.1")
#: A page sees all that clients send, so it must be a service of this host.
PAGE_UPSTREAM = re.compile(r"127\.0\.0\.1:([0-9]{1,5})")

Server = dict[str, t.Any]


def plan(
    deployments: t.Any,
    port: t.Any,
    keys_text: str | None = None,
    names: t.Iterable[str] = (),
    own_certificate: t.Mapping[str, str | None] | None = None,
    missing_paths: t.Iterable[str] = (),
    taken_ports: t.Iterable[int] = (),
    pages: t.Sequence[t.Mapping[str, t.Any]] = (),
) -> dict[str, t.Any]:
    """Return ``{"servers": […], "pages": […], "api_keys": [{"name", "key"}], "alternative_names": […], "mistakes": […]}``.

    ``port`` is that of a deployment without one of its own. ``keys_text`` is the text of the key file, None when it is
    still to be made. ``names`` are names and addresses for a self-signed certificate. ``own_certificate`` maps
    variables to the files that the user gives, ``missing_paths`` are those of them that do not exist, ``taken_ports``
    the ports on which other services listen. ``deployments`` is None before there is a plan: then the rest is looked at.
    ``pages`` are ``{"name", "port", "upstream"}``: all that comes to that port goes to a service on loopback.
    """
    servers, mistakes = _servers(deployments, port) if deployments is not None else ([], [])
    taken = set(taken_ports)
    used = [(f"port {server['port']} of {server['name']}", server["port"]) for server in servers]
    used = used or [(f"gateway_port: {port}", port)]
    mistakes += _page_mistakes(pages, {number: what for what, number in used})
    used += [(f"port {page.get('port')} of the page {page.get('name')}", page.get("port")) for page in pages]
    mistakes += [f"{what}: another service listens there; set another" for what, number in used if number in taken]
    keys, key_mistakes = read_keys(keys_text) if keys_text is not None else ([], [])
    mistakes += key_mistakes
    given = own_certificate or {}
    if any(given.values()) and not all(given.values()):
        mistakes.append(f"{' and '.join(given)}: give both, or none for a self-signed certificate")
    mistakes += [f"{path}: this file does not exist on the controller" for path in missing_paths]
    return {
        "servers": servers,
        "pages": list(pages),
        "api_keys": keys,
        "alternative_names": alternative_names(names),
        "mistakes": mistakes,
    }


def alternative_names(names: t.Iterable[str]) -> list[str]:
    """Return names and addresses as a certificate holds them (``DNS:…``, ``IP:…``): each once, no link-local ones."""
    found: dict[str, None] = {}
    for name in [*LOOPBACK, *names]:
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            found[f"DNS:{name}"] = None
        else:
            if not address.is_link_local:
                found[f"IP:{address}"] = None
    return list(found)


def read_keys(text: str) -> tuple[list[dict[str, str]], list[str]]:
    """Return the keys of a key file and its mistakes, which never hold a key.

    A line is ``key`` or ``name:key``; empty lines and comments (``#``) are skipped.
    """
    keys: list[dict[str, str]] = []
    mistakes: list[str] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        given, _colon, key = line.rpartition(":")
        name = given or "default"
        where = f"gateway_api_keys_path, line {number}"
        if not NAME.fullmatch(name):
            mistakes.append(f"{where}: a name has small letters, digits, - and _")
        if PLACEHOLDER.match(key):
            mistakes.append(f"{where}: this is a placeholder; write a random key")
        elif not KEY.fullmatch(key):
            mistakes.append(f"{where}: a key has 20 or more letters, digits, - and _")
        if any(known["name"] == name for known in keys):
            mistakes.append(f"{where}: the name {name} is used twice")
        if any(known["key"] == key for known in keys):
            mistakes.append(f"{where}: this key is used twice")
        keys.append({"name": name, "key": key})
    if not keys:
        mistakes.append("gateway_api_keys_path: the file holds no key")
    return keys, mistakes


def _servers(deployments: t.Any, default_port: t.Any) -> tuple[list[Server], list[str]]:
    if not isinstance(deployments, list) or not deployments:
        return [], ["gateway_deployments: name at least one deployment, with name, served_name and upstreams"]
    servers: list[Server] = []
    mistakes: list[str] = []
    for number, deployment in enumerate(deployments):
        server, found = _server(deployment, default_port, f"gateway_deployments[{number}]")
        for other in servers:
            if other["name"] == server["name"]:
                found.append(f"gateway_deployments[{number}].name: {server['name']} is used twice")
            if other["port"] == server["port"]:
                found.append(
                    f"gateway_deployments[{number}].port: {server['port']} is the port of {other['name']} already; "
                    "give each deployment its own port (the gateway does not choose by model name yet)"
                )
        servers.append(server)
        mistakes += found
    return servers, mistakes


def _server(deployment: t.Any, default_port: t.Any, where: str) -> tuple[Server, list[str]]:
    if not isinstance(deployment, dict):
        return {"name": None, "port": None}, [f"{where}: must have name, served_name and upstreams"]
    mistakes: list[str] = []
    name, served_name = deployment.get("name"), deployment.get("served_name")
    upstreams, port = deployment.get("upstreams"), deployment.get("port") or default_port
    if not isinstance(name, str) or not NAME.fullmatch(name):
        mistakes.append(f"{where}.name: must have small letters, digits, - and _, not {name!r}")
    if not isinstance(served_name, str) or not served_name:
        mistakes.append(f"{where}.served_name: must be the name by which clients ask for the model")
    if not isinstance(upstreams, list) or not upstreams:
        mistakes.append(f"{where}.upstreams: must list where the engine listens, as [127.0.0.1:8000]")
        upstreams = []
    for upstream in upstreams:
        found = UPSTREAM.fullmatch(str(upstream))
        if not found or not 1 <= int(found[1]) <= 65535:
            mistakes.append(f"{where}.upstreams: must be address:port, not {upstream!r}")
    if isinstance(port, bool) or not re.fullmatch(r"[0-9]{1,5}", str(port)) or not 1 <= int(port) <= 65535:
        mistakes.append(f"{where}.port: must be 1 to 65535, not {port!r}")
        port = None
    number = None if port is None else int(port)
    return {"name": name, "served_name": served_name, "upstreams": upstreams, "port": number}, mistakes


def _page_mistakes(pages: t.Sequence[t.Mapping[str, t.Any]], ports: t.Mapping[int, str]) -> list[str]:
    """Return what is wrong with the pages. ``ports`` maps the ports of the API to what they are for."""
    mistakes: list[str] = []
    seen = dict(ports)
    for number, page in enumerate(pages):
        where, port, upstream = f"gateway_pages[{number}]", page.get("port"), str(page.get("upstream"))
        if not NAME.fullmatch(str(page.get("name"))):
            mistakes.append(f"{where}.name: must have small letters, digits, - and _, not {page.get('name')!r}")
        found = PAGE_UPSTREAM.fullmatch(upstream)
        if not found or not 1 <= int(found[1]) <= 65535:
            mistakes.append(f"{where}.upstream: must be a port on loopback, as 127.0.0.1:8080, not {upstream!r}")
        if not isinstance(port, int) or not 1 <= port <= 65535:
            mistakes.append(f"{where}.port: must be 1 to 65535, not {port!r}")
        elif port in seen:
            mistakes.append(f"{where}.port: {port} is already {seen[port]}; set another")
        else:
            seen[port] = f"the port of the page {page.get('name')}"
    return mistakes
