# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: gpu_driver_idle
short_description: Name the units of the driver that must still be started or enabled
version_added: 0.2.0
description:
  - Compares with what M(gpufleet.inference.node_facts) read. Used by the role P(gpufleet.inference.nvidia_driver#role).
author: The gpufleet founders (@gpufleet)
positional: _input, units
options:
  _input:
    description: The return value C(node) of M(gpufleet.inference.node_facts).
    type: dict
    required: true
  units:
    description: Units that must run.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show what does not run
  ansible.builtin.debug:
    msg: "{{ nvidia_driver_node | gpufleet.inference.gpu_driver_idle(['nvidia-persistenced.service']) }}"
"""

RETURN = r"""
_value:
  description: The units that are not active, or not enabled.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gpu_lock_steps


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"gpu_driver_idle": _gpu_lock_steps.idle}
