# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: node_tools_mistakes
short_description: Say what is wrong with the wishes for the tools of a node
version_added: 0.1.0
description:
  - Returns every mistake as a sentence that names the variable and says what to write. Used by the role
    P(gpufleet.inference.node_tools#role).
author: The gpufleet founders (@gpufleet)
positional: []
options:
  _input:
    description: The wishes, the role's variables without their prefix, the pinned packages, and the wheels on the controller.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse mistakes
  ansible.builtin.assert:
    that: __node_tools_wishes | gpufleet.inference.node_tools_mistakes == []
"""

RETURN = r"""
_value:
  description: The mistakes; empty when there are none.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _node_tools


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"node_tools_mistakes": _node_tools.mistakes}
