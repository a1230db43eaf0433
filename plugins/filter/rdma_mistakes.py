# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rdma_mistakes
short_description: Say what is wrong with the wishes for RDMA on a node
version_added: 0.3.0
description:
  - Returns every mistake as a sentence that names the variable and says what to do, also what the node does not have of what
    was declared. Used by the role P(gpufleet.inference.rdma#role).
author: The gpufleet founders (@gpufleet)
positional: wishes
options:
  _input:
    description: The return value C(node) of M(gpufleet.inference.node_facts).
    type: dict
    required: true
  wishes:
    description: The variables of the role without their prefix.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse mistakes
  ansible.builtin.assert:
    that: rdma_node | gpufleet.inference.rdma_mistakes(__rdma_wishes) == []
"""

RETURN = r"""
_value:
  description: The mistakes; empty when there are none.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _rdma


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rdma_mistakes": _rdma.mistakes}
