# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: os_tuning_repairs
short_description: Decide which settings must be carried out again
version_added: 0.1.0
description:
  - A setting is carried out when its file changed or when M(gpufleet.inference.host_health) says that its effect is not
    there.
author: The gpufleet founders (@gpufleet)
positional: changed_paths
options:
  _input:
    description: The return value C(checks) of M(gpufleet.inference.host_health).
    type: list
    elements: dict
    required: true
  changed_paths:
    description: The return value C(changed_paths) of M(gpufleet.inference.file_set).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show what must be carried out
  ansible.builtin.debug:
    msg: "{{ __os_tuning_before.checks | gpufleet.inference.os_tuning_repairs(__os_tuning_written.changed_paths) }}"
"""

RETURN = r"""
_value:
  description: Some of V(sysctl), V(limits), V(settings), V(swap).
  type: list
  elements: str
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._os_tuning import repairs


class FilterModule:
    """The filter os_tuning_repairs."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"os_tuning_repairs": repairs}
