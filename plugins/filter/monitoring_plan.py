# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: monitoring_plan
short_description: Decide what is monitored and where it is read
version_added: 0.1.0
description:
  - Names the exporters behind the door of each node, and what Prometheus reads through them.
  - Neither reads nor writes anything.
author: The gpufleet founders (@gpufleet)
positional: hostvars, fleet, wishes
options:
  _input:
    description: Inventory names of the nodes, that of Prometheus among them.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts, of which C(ansible_host) and C(platform_node) are read.
    type: dict
    required: true
  fleet:
    description: What the filter C(deployment_plans) returned, or an empty dictionary.
    type: dict
    required: true
  wishes:
    description: See C(plan) of C(plugin_utils/_monitoring.py).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what Prometheus would read
  ansible.builtin.debug:
    msg: "{{ (groups['all'] | gpufleet.inference.monitoring_plan(hostvars, engine_fleet, wishes)).targets }}"
"""

RETURN = r"""
_value:
  description: A dictionary with C(doors), C(targets), C(allowed), C(deployments) and C(mistakes).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _monitoring


def monitoring_plan(
    names: list[str], hostvars: dict[str, t.Any], fleet: dict[str, t.Any], wishes: dict[str, t.Any]
) -> dict[str, t.Any]:
    """Return the plan; see ``_monitoring.plan``."""
    return _monitoring.plan(_monitoring.nodes_of(names, hostvars, fleet), fleet, wishes)


class FilterModule:
    """The filter monitoring_plan."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"monitoring_plan": monitoring_plan}
