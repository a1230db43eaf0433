# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: burn_in_plan
short_description: Decide what the burn-in runs on a node
version_added: 0.1.0
description:
  - Returns the command, its bound, and what of the wishes forbids it.
author: The gpufleet founders (@gpufleet)
positional: wishes
options:
  _input:
    description: The return value C(node) of M(gpufleet.inference.node_facts).
    type: dict
    required: true
  wishes:
    description: The variables of the role without their prefix, and C(name), the node's own.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what would be run
  ansible.builtin.debug:
    msg: "{{ (burn_in_node | gpufleet.inference.burn_in_plan(__burn_in_wishes)).argv }}"
"""

RETURN = r"""
_value:
  description:
    - Keys are C(mistakes) of the wishes and, when there are none, C(argv), C(problem), C(container), C(seconds),
      C(dcgm_level), C(leftover).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _burn_in


def burn_in_plan(node: dict[str, t.Any], wishes: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the plan of a node."""
    found = _burn_in.mistakes(wishes, node)
    return {"mistakes": found} if found else {"mistakes": [], **_burn_in.plan(wishes, node)}


class FilterModule:
    """The filter burn_in_plan."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"burn_in_plan": burn_in_plan}
