# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_drift
short_description: Name the nodes that differ from the rest of the fleet
version_added: 0.3.0
description:
  - Compares driver, VBIOS, kernel, distribution, GPUs, HCAs and their firmware, Docker and its images with what most nodes have, and
    CPUs, memory and the rate of active RDMA ports with the median. Gives one line per node that differs.
author: The gpufleet founders (@gpufleet)
positional: _input, proofs
options:
  _input:
    description: A dictionary of nodes and their C(node) of M(gpufleet.inference.node_facts).
    type: dict
    required: true
  proofs:
    description: A dictionary of nodes and their C(facts) of M(gpufleet.inference.gpu_health), which have the VBIOS.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Compare the nodes
  ansible.builtin.debug:
    msg: "{{ (dict(nodes | zip(nodes | map('extract', hostvars, 'platform_node'))) | gpufleet.inference.fleet_drift).lines }}"
  vars:
    nodes: "{{ groups['gpu_nodes'] }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - C(verdict), V(pass), V(warn) or V(not_verified), the last where something could not be read or there is only one node.
    - C(lines), one per node that differs. C(nodes), the same as data, C(what), C(observed), C(expected), C(others), how many
      nodes have the expected value, and C(sure), whether they are the most.
    - C(unseen), by node, what could not be read there. C(compared), the nodes.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._fleet_drift import drift


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"fleet_drift": drift}
