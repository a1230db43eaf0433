# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: container_toolkit_plan
short_description: Decide how containers get the GPUs of a node
version_added: 0.2.0
description:
  - Says what of NVIDIA's container toolkit is missing, and how containers ask for GPUs. Used by the role
    P(gpufleet.inference.container_runtime#role).
author: The gpufleet founders (@gpufleet)
positional: _input, node, candidates
options:
  _input:
    description: The wishes, the role's variables without their prefix.
    type: dict
    required: true
  node:
    description: What was read on the node, C(platform_node).
    type: dict
    required: true
  candidates:
    description: The return value C(candidates) of M(gpufleet.inference.package_candidates); none as long as nobody asked.
    type: dict
"""

EXAMPLES = r"""
- name: Show how containers get GPUs
  ansible.builtin.debug:
    msg: >-
      {{ (__container_runtime_toolkit_wishes | gpufleet.inference.container_toolkit_plan(container_runtime_node)).access }}
"""

RETURN = r"""
_value:
  description:
    - Keys are C(wanted), C(access) (V(cdi), V(runtime) or V(hook)), C(daemon) (the access that Docker must be
      told of), C(mistakes), C(refusal), C(packages), C(hold),
      C(refresh) (the CDI specification is missing or of another driver), C(pins) and C(expect).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gpu_containers


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"container_toolkit_plan": _gpu_containers.plan}
