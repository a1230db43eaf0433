# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: monitoring_actions
short_description: Decide which units must start, reload or restart
version_added: 0.1.0
description:
  - From the units that do not run and the files that changed.
author: The gpufleet founders (@gpufleet)
positional: idle, changed_paths
options:
  _input:
    description: The wanted units.
    type: list
    elements: str
    required: true
  idle:
    description: Those that do not run or are not enabled.
    type: list
    elements: str
    required: true
  changed_paths:
    description: What M(gpufleet.inference.file_set) changed.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show what would happen
  ansible.builtin.debug:
    msg: "{{ plan.units | gpufleet.inference.monitoring_actions(plan.idle, written.changed_paths) }}"
"""

RETURN = r"""
_value:
  description: In order, each with C(unit) and C(state) as M(ansible.builtin.systemd_service) takes them.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _monitoring_units


def monitoring_actions(units: list[str], idle: list[str], changed_paths: list[str]) -> list[dict[str, str]]:
    """Return the actions; see ``_monitoring_units.actions``."""
    return _monitoring_units.actions(units, idle, changed_paths)


class FilterModule:
    """The filter monitoring_actions."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"monitoring_actions": monitoring_actions}
