# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: gpu_driver_plan
short_description: Decide what the role nvidia_driver does on a node
version_added: 0.2.0
description:
  - Resolves driver, Fabric Manager, NSCQ, IMEX and CUDA compatibility to one exact, matching set of packages, and compares
    it with what is installed and loaded. Used by the role P(gpufleet.inference.nvidia_driver#role).
author: The gpufleet founders (@gpufleet)
positional: _input, wishes, candidates
options:
  _input:
    description: The return value C(node) of M(gpufleet.inference.node_facts).
    type: dict
    required: true
  wishes:
    description: The variables of the role without their prefix.
    type: dict
    required: true
  candidates:
    description: The return value C(candidates) of M(gpufleet.inference.package_candidates); none as long as nobody asked.
    type: dict
"""

EXAMPLES = r"""
- name: Show the lock
  ansible.builtin.debug:
    msg: "{{ (nvidia_driver_node | gpufleet.inference.gpu_driver_plan(__nvidia_driver_wishes)).lock.packages }}"
"""

RETURN = r"""
_value:
  description:
    - Keys are C(applies), C(mistakes), C(complete), C(patterns), C(lock), C(refusal), C(install), C(build),
      C(release), C(remove), C(hold), C(units), C(module), C(kernel_is_ours), C(modules_load), C(expect).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gpu_lock_steps


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"gpu_driver_plan": _gpu_lock_steps.plan}
