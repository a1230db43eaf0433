# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fabric_end
short_description: Say what a node brings to a measurement of the fabric
version_added: 0.1.0
description:
  - Its HCAs with their rate, NUMA node and the GID that RoCE v2 needs, and the address by which others reach it. Used by the
    role P(gpufleet.inference.burn_in#role).
author: The gpufleet founders (@gpufleet)
positional: hcas, gid_index, address, why_no_gpus, mistakes
options:
  _input:
    description: The return value C(node) of M(gpufleet.inference.node_facts).
    type: dict
    required: true
  hcas:
    description: The compute HCAs in PCI order, C(wanted) of P(gpufleet.inference.hca_choice#filter); those that are down or
      missing keep their place.
    type: list
    elements: str
    default: []
  gid_index:
    description: The GID index of all of them; negative looks for that of RoCE v2.
    type: int
    default: -1
  address:
    description: Its address; empty takes the first one on the interface of the default route.
    type: str
    default: ""
  why_no_gpus:
    description: Why its GPUs cannot take part, or empty.
    type: str
    default: ""
  mistakes:
    description: What is wrong with the choice of its HCAs.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show what this node brings
  ansible.builtin.debug:
    msg: "{{ platform_node | gpufleet.inference.fabric_end(['mlx5_0', 'mlx5_3']) }}"
"""

RETURN = r"""
_value:
  description: C(address), C(hcas), each with its C(trouble), C(gpus), C(why_no_gpus), and C(problem), what was wrong with the choice.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric_ends


def fabric_end(
    node: dict[str, t.Any],
    hcas: list[str] | None = None,
    gid_index: int = -1,
    address: str = "",
    why_no_gpus: str = "",
    mistakes: list[str] | None = None,
) -> dict[str, t.Any]:
    """Return what the node brings."""
    return _fabric_ends.end(
        node, hcas or [], None if gid_index < 0 else gid_index, address, why_no_gpus, mistakes or []
    )


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"fabric_end": fabric_end}
