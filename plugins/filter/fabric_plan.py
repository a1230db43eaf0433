# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fabric_plan
short_description: Decide which nodes measure the fabric between them, wave by wave
version_added: 0.1.0
description:
  - Everyone meets everyone, HCA by HCA of the same number; no node is in two pairs of a wave. Used by the role
    P(gpufleet.inference.burn_in#role).
author: The gpufleet founders (@gpufleet)
positional: _input, wishes
options:
  _input:
    description: What each node brings, results of P(gpufleet.inference.fabric_end#filter) by node.
    type: dict
    required: true
  wishes:
    description:
      - C(rounds), how many rounds of pairs are run, V(0) for all; C(at_once), how many nodes may work at once, V(0) for any;
        C(port), the first TCP port.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the waves
  ansible.builtin.debug:
    msg: "{{ (ends | gpufleet.inference.fabric_plan({'rounds': 2, 'at_once': 50, 'port': 18515})).parts }}"
"""

RETURN = r"""
_value:
  description:
    - C(parts), per wave and node the options of M(gpufleet.inference.rdma_speed), C(pairs), all pairs, also those that cannot meet,
      C(notes), what is not measured and why, C(group), who takes part in the all-reduce, C(ends) and C(port).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"fabric_plan": _fabric.plan}
