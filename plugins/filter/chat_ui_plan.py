# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: chat_ui_plan
short_description: Decide what the chat page is
version_added: 0.1.0
description:
  - Turns what was read on the node and the wishes of the role C(chat_ui) into the form of the page, its files of variables and
    what it may call, and lists every mistake.
  - Neither reads nor writes anything.
author:
  - The gpufleet founders (@gpufleet)
positional: wishes
options:
  _input:
    description: The return value C(node) of M(gpufleet.inference.node_facts).
    type: dict
    required: true
  wishes:
    description: The variables of the role without their prefix, and the texts of the files that they name on the controller.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: List the mistakes
  ansible.builtin.debug:
    msg: "{{ (chat_ui_node | gpufleet.inference.chat_ui_plan(__chat_ui_wishes)).mistakes }}"
"""

RETURN = r"""
_value:
  description: A dictionary with C(form), C(api_urls), C(models), C(settings), C(secrets), C(hosts), C(allowed) and C(mistakes).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _chat_ui


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"chat_ui_plan": _chat_ui.plan}
