# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: burn_in_lines
short_description: Tell the measurements of a node in a few lines
version_added: 0.1.0
description:
  - One line per kind with its median and its worst value, and one per problem.
author: The gpufleet founders (@gpufleet)
options:
  _input:
    description: Measurements, as M(gpufleet.inference.gpu_speed) returns them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the figures
  ansible.builtin.debug:
    msg: "{{ measured.run.measurements | gpufleet.inference.burn_in_lines }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _burn_in_lines


class FilterModule:
    """The filter burn_in_lines."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"burn_in_lines": _burn_in_lines.lines}
