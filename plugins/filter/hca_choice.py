# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hca_choice
short_description: Choose the HCAs of a node that carry tensors between nodes
version_added: 0.3.0
description:
  - Looks at link layer, rate, state and the PCI distance to each GPU, leaves out storage, bonds, virtual functions and the
    interface of the default route, and says why. A declared list wins.
  - Nothing chosen is C(not_verified), never C(pass).
author: The gpufleet founders (@gpufleet)
positional: _input, wishes
options:
  _input:
    description: The key C(rdma) of what M(gpufleet.inference.node_facts) returns.
    type: dict
    required: true
  wishes:
    description:
      - Variables of the role P(gpufleet.inference.rdma#role) without their prefix, C(hcas), C(compute_hcas), C(rate_gbps),
        C(link_layer), C(gid_index), C(topology_file), C(used_by_engines). All are optional.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show which HCAs NCCL shall use, and why
  ansible.builtin.debug:
    msg: "{{ platform_node.rdma | gpufleet.inference.hca_choice({'compute_hcas': 4}) }}"
"""

RETURN = r"""
_value:
  description:
    - Keys are C(hcas), the names in PCI order, C(wanted), those and the ones that should be among them,
      C(nccl_ib_hca), the value of C(NCCL_IB_HCA), C(gid_index),
      C(address_family), C(link_layer), C(rate_gbps), C(subnets), C(declared), C(verdict), C(reasons), C(affinity), the
      nearest HCA of each GPU, and C(mistakes), which name the variable to change.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _hca_choice


def hca_choice(rdma: dict[str, t.Any], wishes: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
    """Return the choice; its mistakes are data, as a plan lists those of all nodes."""
    return _hca_choice.choose(rdma, wishes or {})


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"hca_choice": hca_choice}
