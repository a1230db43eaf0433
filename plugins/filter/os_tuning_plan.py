# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: os_tuning_plan
short_description: Decide what the role os_tuning does on a node
version_added: 0.1.0
description:
  - Compares what M(gpufleet.inference.node_facts) read with the wishes and returns what must be so.
  - Fails with every mistake of the wishes at once.
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
- name: Show which sysctl keys this node gets
  ansible.builtin.debug:
    msg: "{{ (os_tuning_node | gpufleet.inference.os_tuning_plan(__os_tuning_wishes)).sysctl }}"
"""

RETURN = r"""
_value:
  description:
    - Keys are C(container), C(files), C(sysctl), C(left_out), C(settings), C(packages), C(time_service), C(hold),
      C(unhold), C(pins), C(blacklist), C(expect).
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.plugin_utils._os_tuning import mistakes, plan


def os_tuning_plan(node: dict[str, t.Any], wishes: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the plan, or raise AnsibleFilterError with all mistakes."""
    found = mistakes(wishes)
    if found:
        raise AnsibleFilterError(" ".join(found))
    return plan(node, wishes)


class FilterModule:
    """The filter os_tuning_plan."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"os_tuning_plan": os_tuning_plan}
