# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what the gateway serves: which models on which ports, which keys with which limits; and name every mistake.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Names, keys and addresses end up in the configuration of HAProxy, so only characters that mean nothing there are let through.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gateway_models, _gateway_pair
from ansible_collections.gpufleet.inference.plugins.plugin_utils._gateway_keys import limited, read_keys

#: Loopback stands in every self-signed certificate, for calls on the gateway host itself.
LOOPBACK = ("localhost", "127.0.0.1")
#: Of Let's Encrypt and others: http-01 proves a name of the DNS, asked for at this port.
ACME_PORT = 80
#: HAProxy holds a request in one buffer; glibc reuses blocks below 32 MiB, and maps larger ones anew for each token.
MOST_BODY_MIB = 30
DNS_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)


def plan(
    deployments: t.Any,
    port: t.Any,
    keys_text: str | None = None,
    names: t.Iterable[str] = (),
    own_certificate: t.Mapping[str, str | None] | None = None,
    missing_paths: t.Iterable[str] = (),
    taken_ports: t.Iterable[int] = (),
    ports: t.Mapping[str, t.Any] | None = None,
    weights: t.Mapping[str, t.Any] | None = None,
    limits: t.Mapping[str, t.Any] | None = None,
    default_limits: t.Any = None,
    pages: t.Any = None,
    acme_names: t.Sequence[str] = (),
    metrics_port: t.Any = 8404,
    pair: t.Mapping[str, t.Any] | None = None,
    replica_requests: t.Any = 512,
    queue_requests: t.Any = 512,
    body_limit_mib: t.Any = 16,
) -> dict[str, t.Any]:
    """Return ``{"servers", "models", "listeners", "pages", "api_keys", "users", "pair", "claims", "alternative_names", "mistakes"}``.

    ``port`` is that of deployments without one of their own in ``ports``. ``keys_text`` is the text of the key file, None when it
    is still to be made. ``names`` are names and addresses for a self-signed certificate. ``own_certificate`` maps variables to the
    files that the user gives, ``missing_paths`` are those of them that do not exist, ``taken_ports`` the ports on which other
    services listen. ``deployments`` is None before there is a plan: then the rest is looked at. ``pair`` holds the arguments of
    ``_gateway_pair.pair``. Lists are described where they are made: ``_gateway_models``, ``_gateway_keys``; ``api_keys`` are for
    the proof, ``users`` for the gateway, which sees digests only; ``claims`` are ports by the variable that sets each.
    """
    servers: list[_gateway_models.Server] = []
    mistakes: list[str] = []
    default_port, port_mistakes = _gateway_models.whole(port, "gateway_port", 1, 65535)
    mistakes += port_mistakes
    if deployments is not None:
        servers, more = _gateway_models.servers(deployments, default_port, ports or {}, weights or {})
        mistakes += more
    shown, more = _gateway_models.pages(pages or [])
    mistakes += more
    models = [] if mistakes else _gateway_models.models(servers, int(replica_requests), int(queue_requests))
    metrics, more = _gateway_models.whole(metrics_port, "gateway_metrics_port", 1, 65535)
    claims = _claims(default_port, ports or {}, shown, metrics, acme_names)
    mistakes += more + _port_mistakes(claims, set(taken_ports))
    keys, key_mistakes = read_keys(keys_text) if keys_text is not None else (None, [])
    users, more = limited(keys, limits or {}, default_limits or {})
    mistakes += key_mistakes + more + _certificate_mistakes(own_certificate or {}, missing_paths, acme_names)
    mistakes += _gateway_models.whole(body_limit_mib, "gateway_body_limit_mib", 1, MOST_BODY_MIB)[1]
    two, more = _gateway_pair.pair(**pair) if pair else ({}, [])
    return {
        "servers": servers,
        "models": models,
        "listeners": _gateway_models.listeners(models),
        "pages": shown,
        "api_keys": keys or [],
        "users": users,
        "pair": two,
        "claims": claims,
        "alternative_names": alternative_names(names),
        "mistakes": mistakes + more,
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


def _claims(
    port: int | None,
    ports: t.Mapping[str, t.Any],
    pages: t.Sequence[t.Mapping[str, t.Any]],
    metrics_port: int | None,
    acme_names: t.Sequence[str],
) -> dict[str, int]:
    """Return ``{variable: port}`` of all that the gateway listens on."""
    found = {"gateway_port": port, **{f"gateway_ports.{name}": own for name, own in ports.items()}}
    found |= {f"gateway_pages, {page['name']}": page["port"] for page in pages} | {"gateway_metrics_port": metrics_port}
    found |= {"gateway_acme_names": ACME_PORT} if acme_names else {}
    return {variable: int(number) for variable, number in found.items() if re.fullmatch(r"[0-9]+", str(number))}


def _port_mistakes(claims: t.Mapping[str, int], taken: t.Container[int]) -> list[str]:
    """Give each port to one user. Deployments share theirs, as the gateway chooses by model."""
    used: dict[int, str] = {}
    mistakes = []
    for variable, number in claims.items():
        shared = variable.startswith("gateway_ports.") and used.get(number, "").startswith("gateway_port")
        if number in used and not shared:
            mistakes.append(f"{variable}: {number} is already {used[number]}")
        used.setdefault(number, variable)
    found = [(variable, number) for number, variable in used.items() if number in taken]
    return mistakes + [f"{what}: {number}: another service listens there; set another" for what, number in found]


def _certificate_mistakes(
    own: t.Mapping[str, str | None], missing_paths: t.Iterable[str], acme_names: t.Sequence[str]
) -> list[str]:
    mistakes = []
    if any(own.values()) and not all(own.values()):
        mistakes.append(f"{' and '.join(own)}: give both, or none for a self-signed certificate")
    if any(own.values()) and acme_names:
        mistakes.append(
            f"gateway_acme_names: {' and '.join(own)} are set too; give your own certificate or have one made"
        )
    mistakes += [
        f"gateway_acme_names: {name!r} is no name of the DNS, which is all that http-01 can prove"
        for name in acme_names
        if not DNS_NAME.fullmatch(str(name))
    ]
    return mistakes + [f"{path}: this file does not exist on the controller" for path in missing_paths]
