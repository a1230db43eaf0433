# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: gpu_driver_kernel_changes
short_description: Name the kernel packages that changed
version_added: 0.2.0
description:
  - Installing a driver must leave the kernel as it is. Used by the role P(gpufleet.inference.nvidia_driver#role).
author: The gpufleet founders (@gpufleet)
positional: _input, after
options:
  _input:
    description: The return value C(node) of M(gpufleet.inference.node_facts), before.
    type: dict
    required: true
  after:
    description: The same, read after the installation.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Assert that the kernel is the same
  ansible.builtin.assert:
    that: nvidia_driver_node | gpufleet.inference.gpu_driver_kernel_changes(__nvidia_driver_after.node) == []
"""

RETURN = r"""
_value:
  description: One sentence per package that was added, removed or changed.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gpu_lock_steps


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"gpu_driver_kernel_changes": _gpu_lock_steps.kernel_changes}
