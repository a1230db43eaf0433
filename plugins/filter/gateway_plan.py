# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: gateway_plan
short_description: Decide what the gateway serves
version_added: 0.1.0
description:
  - Turns the wishes of the role C(gateway) into servers and keys, and lists every mistake in them.
  - Neither reads nor writes anything.
author:
  - The gpufleet founders (@gpufleet)
positional: _input
options:
  _input:
    description:
      - The deployments, each with C(name), C(served_name), C(upstreams) and maybe its own C(port).
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
  pages:
    description: Pages of this host, each with C(name), C(port) and C(upstream).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: List the mistakes
  ansible.builtin.debug:
    msg: "{{ (gateway_deployments | gpufleet.inference.gateway_plan(port=443)).mistakes }}"
"""

RETURN = r"""
_value:
  description: A dictionary with C(servers), C(pages), C(api_keys), C(alternative_names) and C(mistakes).
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
