# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: gpu_driver_reboot
short_description: Decide whether a reboot may cure it
version_added: 0.2.0
description:
  - Refuses a reboot that nobody allowed, one of the controller itself, and a second one for the same reason. Used by the
    role P(gpufleet.inference.nvidia_driver#role).
author: The gpufleet founders (@gpufleet)
positional: _input, policy, connection, boot_id, earlier
options:
  _input:
    description: The reason.
    type: str
    required: true
  policy:
    description: Whether reboots are V(allowed) or V(never) wanted.
    type: str
    required: true
  connection:
    description: How Ansible reaches the node.
    type: str
    required: true
  boot_id:
    description: The present boot of the node.
    type: str
    required: true
  earlier:
    description: The record of the last reboot that the role asked for, C(boot_id) and C(why); empty without one.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show whether the node may be rebooted
  ansible.builtin.debug:
    msg: "{{ 'no driver is loaded' | gpufleet.inference.gpu_driver_reboot('allowed', 'ssh', 'b1', {}) }}"
"""

RETURN = r"""
_value:
  description: Keys are C(allowed), C(refusal), what to do instead, and C(record), to keep before the reboot.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gpu_lock_trouble


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"gpu_driver_reboot": _gpu_lock_trouble.reboot}
