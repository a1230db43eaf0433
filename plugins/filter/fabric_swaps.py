# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fabric_swaps
short_description: Decide which pairs tell whose fault a slow link is
version_added: 0.1.0
description:
  - Where two ends of a slow link have met nobody else, each meets a node that is known to be good. Used by the role
    P(gpufleet.inference.burn_in#role).
author: The gpufleet founders (@gpufleet)
positional: _input, answers, wishes
options:
  _input:
    description: The result of P(gpufleet.inference.fabric_plan#filter).
    type: dict
    required: true
  answers:
    description: Per node, the measurements that M(gpufleet.inference.rdma_speed) returned in all waves.
    type: dict
    required: true
  wishes:
    description: C(floor_share), the share of its line rate that a pair must reach; V(0) compares pairs with each other only.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show who meets again
  ansible.builtin.debug:
    msg: "{{ plan | gpufleet.inference.fabric_swaps(answers, {'floor_share': 0.9}) }}"
"""

RETURN = r"""
_value:
  description: C(parts) and C(pairs) as those of P(gpufleet.inference.fabric_plan#filter).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"fabric_swaps": _fabric.swaps}
