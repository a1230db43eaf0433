# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fabric_command
short_description: Make the command of a node's part of the all-reduce over all nodes
version_added: 0.1.0
description:
  - A container of the engine's image with the devices, variables and limits that its ranks have, or a Python of the node.
    Used by the role P(gpufleet.inference.burn_in#role).
author: The gpufleet founders (@gpufleet)
positional: _input, node, wishes
options:
  _input:
    description: The key C(group) of what P(gpufleet.inference.fabric_plan#filter) returned.
    type: dict
    required: true
  node:
    description: The name of the node.
    type: str
    required: true
  wishes:
    description:
      - C(port), C(bytes), C(samples), C(seconds), C(while_serving), C(directory), C(image), C(python), C(environment),
        C(containers), what ranks get to use the fabric, C(gpu_access) and C(raise_limits).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the command of this node
  ansible.builtin.debug:
    msg: "{{ plan.group | gpufleet.inference.fabric_command(inventory_hostname, wishes) }}"
"""

RETURN = r"""
_value:
  description: C(argv), C(container) and C(seconds) as M(gpufleet.inference.gpu_speed) takes them.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric_nccl


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"fabric_command": _fabric_nccl.command}
