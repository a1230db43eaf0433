# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: container_runtime_plan
short_description: Decide what must change in the container runtime of a node
version_added: 0.1.0
description:
  - Computes packages, C(daemon.json), the daemon's environment, and whether the daemon must be started, reloaded or
    restarted, or may not be because ranks run. Used by the role P(gpufleet.inference.container_runtime#role).
author: The gpufleet founders (@gpufleet)
positional: _input, node, seen
options:
  _input:
    description: The wishes, the role's variables without their prefix.
    type: dict
    required: true
  node:
    description: What was read on the node, C(platform_node).
    type: dict
    required: true
  seen:
    description: The C(facts) of M(gpufleet.inference.container_health).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the plan
  ansible.builtin.debug:
    msg: >-
      {{ __container_runtime_wishes
         | gpufleet.inference.container_runtime_plan(container_runtime_node, __container_runtime_seen.facts) }}
"""

RETURN = r"""
_value:
  description:
    - Keys are C(packages), C(daemon), C(environment), C(fingerprints), C(action) (V(none), V(start), V(reload) or
      V(restart)), C(why) and C(refusal), which is empty when the action may be done.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _runtime_change


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"container_runtime_plan": _runtime_change.plan}
