# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: container_runtime_mistakes
short_description: Say what is wrong with the wishes for the container runtime
version_added: 0.1.0
description:
  - Returns every mistake as a sentence that names the variable and says what to write. Used by the role
    P(gpufleet.inference.container_runtime#role).
author: The gpufleet founders (@gpufleet)
positional: _input, node
options:
  _input:
    description: The wishes, the role's variables without their prefix.
    type: dict
    required: true
  node:
    description: What was read on the node, C(platform_node).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse mistakes
  ansible.builtin.assert:
    that: __container_runtime_wishes | gpufleet.inference.container_runtime_mistakes(container_runtime_node) == []
"""

RETURN = r"""
_value:
  description: The mistakes; empty when there are none.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _runtime_change


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"container_runtime_mistakes": _runtime_change.mistakes}
