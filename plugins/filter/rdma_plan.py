# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rdma_plan
short_description: Decide what the role rdma does on a node
version_added: 0.3.0
description:
  - Compares what M(gpufleet.inference.node_facts) read with the wishes and returns what must be so, and which HCAs carry
    tensors. Used by the role P(gpufleet.inference.rdma#role).
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
- name: Show what containers need to use the HCAs
  ansible.builtin.debug:
    msg: "{{ (rdma_node | gpufleet.inference.rdma_plan(__rdma_wishes)).containers }}"
"""

RETURN = r"""
_value:
  description:
    - Keys are C(applies), C(choice), C(containers), C(files), C(packages), C(doca), C(hold), C(unhold), C(modules),
      C(settings), C(unit), C(idle), C(kernel_options), C(kernel_options_command), C(nccl_conf), C(expect).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _rdma


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rdma_plan": _rdma.plan}
