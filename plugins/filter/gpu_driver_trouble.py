# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: gpu_driver_trouble
short_description: Say why the driver could not be installed or loaded
version_added: 0.2.0
description:
  - Turns what a tool said into cause and remedy - Secure Boot, cards in use, no headers, a lock and who holds it. Used by
    the role P(gpufleet.inference.nvidia_driver#role).
author: The gpufleet founders (@gpufleet)
positional: _input, processes
options:
  _input:
    description: What the tool said.
    type: str
    required: true
  processes:
    description: What C(ps -o pid=,comm=) printed, to name the holder of a lock.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Say why
  ansible.builtin.fail:
    msg: "{{ __nvidia_driver_loaded.stderr | gpufleet.inference.gpu_driver_trouble }}"
"""

RETURN = r"""
_value:
  description: Cause and remedy.
  type: str
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gpu_lock_trouble


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"gpu_driver_trouble": _gpu_lock_trouble.explain}
