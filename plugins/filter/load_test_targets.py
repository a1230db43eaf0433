# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: load_test_targets
short_description: Name the endpoints that a load test drives
version_added: 0.1.0
description:
  - Each wanted deployment through the gateway, and at its engine where the gateway itself asks it.
author: The gpufleet founders (@gpufleet)
positional: endpoints, gateway
options:
  _input:
    description: The deployments of the fleet's plan.
    type: list
    elements: dict
    required: true
  endpoints:
    description: The endpoints of the fleet's plan.
    type: list
    elements: dict
    required: true
  gateway:
    description: C(url), C(api_keys_path), C(ca_path), and C(ports) of deployments that have one of their own.
    type: dict
    required: true
  wanted:
    description: Names of deployments, all of them when empty.
    type: list
    elements: str
    default: []
  routes:
    description: V(gateway), V(engine), or both.
    type: list
    elements: str
    default: [gateway]
"""

EXAMPLES = r"""
- name: Show what would be loaded
  ansible.builtin.debug:
    msg: >-
      {{ engine_fleet.deployments | gpufleet.inference.load_test_targets(engine_fleet.endpoints,
           {'url': gateway_url, 'api_keys_path': gateway_api_keys_path, 'ca_path': gateway_ca_path}) }}
"""

RETURN = r"""
_value:
  description: The targets, as docs/load_test.md describes them.
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_targets


def load_test_targets(
    deployments: list[dict[str, t.Any]],
    endpoints: list[dict[str, t.Any]],
    gateway: dict[str, t.Any],
    wanted: list[str] | None = None,
    routes: list[str] | None = None,
) -> list[dict[str, t.Any]]:
    """Return the targets."""
    try:
        return _load_targets.targets(
            deployments, endpoints, gateway, wanted or [], routes if routes is not None else ["gateway"]
        )
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter load_test_targets."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"load_test_targets": load_test_targets}
