# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: model_store_repairs
short_description: Say what must be sent to make a node's models good
version_added: 0.1.0
description:
  - Only files that differ are sent; what does not belong to a model is removed.
  - Used by the role P(gpufleet.inference.model_store#role).
author: The gpufleet founders (@gpufleet)
positional: _input, found, disk_free_bytes
options:
  _input:
    description: C(facts.models) of the sources.
    type: dict
    required: true
  found:
    description: C(facts.models) of the node.
    type: dict
    required: true
  disk_free_bytes:
    description: Path to free bytes of the node.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what would be sent
  ansible.builtin.debug:
    msg: "{{ (made.facts.models | gpufleet.inference.model_store_repairs(found.facts.models, {})).send }}"
"""

RETURN = r"""
_value:
  description: Keys are C(send), C(directories), C(remove) and C(mistakes).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_store


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"model_store_repairs": _model_store.repairs}
