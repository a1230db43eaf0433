# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: gateway_plan
short_description: Decide what the gateway serves
version_added: 0.1.0
description:
  - Turns the wishes of the role C(gateway) into models, ports and keys, and lists every mistake in them.
  - Neither reads nor writes anything.
author:
  - The gpufleet founders (@gpufleet)
positional: _input
options:
  _input:
    description:
      - The deployments, each with C(name), C(served_name) and C(upstreams).
      - V(none) before there is a plan, to look at the other wishes alone.
    type: list
    elements: dict
    required: true
  port:
    description: Port of a deployment without one of its own.
    type: int
    required: true
  keys_text:
    description: Text of the file with the API keys. None when it is still to be made.
    type: str
  names:
    description: Names and addresses for a self-signed certificate.
    type: list
    elements: str
    default: []
  own_certificate:
    description: Variable name to the path that the user gives there, for certificate and private key.
    type: dict
    default: {}
  missing_paths:
    description: Files that the user names and that do not exist.
    type: list
    elements: str
    default: []
  taken_ports:
    description: Ports on which other services listen.
    type: list
    elements: int
    default: []
  ports:
    description: Own ports by deployment's name.
    type: dict
    default: {}
  weights:
    description: Weights by deployment's name.
    type: dict
    default: {}
  limits:
    description: Name of a key to its C(requests_per_minute) and C(concurrent).
    type: dict
    default: {}
  default_limits:
    description: What holds for the other keys.
    type: dict
    default: {}
  pages:
    description: Web pages behind the same certificate, each with C(name), C(port) and C(upstream).
    type: list
    elements: dict
    default: []
  acme_names:
    description: Names for a certificate from an authority.
    type: list
    elements: str
    default: []
  metrics_port:
    description: Port on which the gateway's metrics are asked for.
    type: int
    default: 8404
  pair:
    description: What two gateways with one address need, see C(_gateway_pair.pair).
    type: dict
  replica_requests:
    description: Requests at one replica at once.
    type: int
    default: 512
  queue_requests:
    description: Requests that wait for a replica of one model.
    type: int
    default: 512
  body_limit_mib:
    description: Largest request.
    type: int
    default: 16
"""

EXAMPLES = r"""
- name: List the mistakes
  ansible.builtin.debug:
    msg: "{{ (gateway_deployments | gpufleet.inference.gateway_plan(port=443)).mistakes }}"
"""

RETURN = r"""
_value:
  description: A dictionary with C(servers), C(models), C(listeners), C(pages), C(api_keys), C(users), C(pair), C(claims),
    C(alternative_names) and C(mistakes).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gateway


def gateway_plan(deployments: t.Any, port: t.Any, **wishes: t.Any) -> dict[str, t.Any]:
    """Return the plan of the gateway; see ``_gateway.plan``."""
    return _gateway.plan(deployments, port, **wishes)


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"gateway_plan": gateway_plan}
