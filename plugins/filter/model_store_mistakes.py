# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: model_store_mistakes
short_description: Say what is wrong with declared models
version_added: 0.1.0
description:
  - Looks at names, and at the sources on the controller.
  - Used by the role P(gpufleet.inference.model_store#role).
author: The gpufleet founders (@gpufleet)
positional: _input
options:
  _input:
    description: The models, with C(name), C(source) and C(directory).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse mistakes
  ansible.builtin.assert:
    that: model_store_models | gpufleet.inference.model_store_mistakes == []
"""

RETURN = r"""
_value:
  description: The mistakes, each naming the variable and what to write.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_store


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"model_store_mistakes": _model_store.mistakes}
