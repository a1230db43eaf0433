# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fabric_figures
short_description: Make measurements and checks of what the nodes said of the fabric
version_added: 0.1.0
description:
  - One measurement per pair and test, also where nothing came back; the node, HCA, rail or link that explains the slow pairs; and
    what NCCL's log proves. Used by the role P(gpufleet.inference.burn_in#role).
author: The gpufleet founders (@gpufleet)
positional: _input, swapped, answers, runs, wishes
options:
  _input:
    description: The result of P(gpufleet.inference.fabric_plan#filter).
    type: dict
    required: true
  swapped:
    description: The result of P(gpufleet.inference.fabric_swaps#filter), or nothing.
    type: dict
    required: true
  answers:
    description: Per node, the measurements that M(gpufleet.inference.rdma_speed) returned in all waves.
    type: dict
    required: true
  runs:
    description: Per node, what M(gpufleet.inference.gpu_speed) returned for the all-reduce, or nothing.
    type: dict
    required: true
  wishes:
    description: C(floor_share), C(image), and C(gdr), whether GPUDirect RDMA is expected.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show who is to blame
  ansible.builtin.debug:
    msg: "{{ (plan | gpufleet.inference.fabric_figures({}, answers, {}, {'floor_share': 0.9, 'image': '', 'gdr': false})).checks }}"
"""

RETURN = r"""
_value:
  description: C(measurements), C(checks), and C(facts), number and rate of HCAs by node.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"fabric_figures": _fabric.figures}
