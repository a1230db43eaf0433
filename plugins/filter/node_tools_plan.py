# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: node_tools_plan
short_description: Decide what the role node_tools does on a node
version_added: 0.1.0
description:
  - Compares what M(gpufleet.inference.node_facts) read with the wishes and returns what must be so.
author: The gpufleet founders (@gpufleet)
positional: wishes
options:
  _input:
    description: The return value C(node) of M(gpufleet.inference.node_facts).
    type: dict
    required: true
  wishes:
    description: The variables of the role without their prefix, the pinned packages, and the wheels on the controller.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show whether this node gets nvidia-ml-py
  ansible.builtin.debug:
    msg: "{{ (node_tools_node | gpufleet.inference.node_tools_plan(__node_tools_wishes)).nvml }}"
"""

RETURN = r"""
_value:
  description: Keys are C(nvml), C(install), C(packages), C(wheels), C(requirements), C(pip), C(nvitop).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _node_tools


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"node_tools_plan": _node_tools.plan}
