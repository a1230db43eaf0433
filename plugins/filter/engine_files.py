# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: engine_files
short_description: The files that the ranks of a node need
version_added: 0.2.0
description: Returns specs, units, files of options and SSH keys of the ranks as items for M(gpufleet.inference.file_set).
author: The gpufleet founders (@gpufleet)
positional: directory, keys
options:
  _input:
    description: Items of C(ranks) of a plan.
    type: list
    elements: dict
    required: true
  directory:
    description: Where the specs lie on the node, below C(plans), and keys, below C(ssh).
    type: str
    required: true
  keys:
    description: SSH keys of the deployments whose ranks log in to each other, by name.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write units and specs
  gpufleet.inference.file_set:
    directories: "{{ wanted.directories }}"
    files: "{{ wanted.files }}"
  vars:
    wanted: "{{ ranks | gpufleet.inference.engine_files('/etc/gpufleet', keys={}) }}"
"""

RETURN = r"""
_value:
  description: C(directories) and C(files), items with C(path), and C(content) or C(template).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine_files import wanted


class FilterModule:
    """The filter engine_files."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"engine_files": wanted}
