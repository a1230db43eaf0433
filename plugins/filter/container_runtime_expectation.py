# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: container_runtime_expectation
short_description: Say what a proof must find in the container runtime of a node
version_added: 0.1.0
description:
  - Turns the wishes into the option O(gpufleet.inference.container_health#module:expect). Used by the role
    P(gpufleet.inference.container_runtime#role).
author: The gpufleet founders (@gpufleet)
positional: _input, images, gpus
options:
  _input:
    description: The wishes, the role's variables without their prefix.
    type: dict
    required: true
  images:
    description: C(expect) of P(gpufleet.inference.container_images#filter).
    type: list
    elements: dict
    required: true
  gpus:
    description: C(expect) of P(gpufleet.inference.container_toolkit_plan#filter); nothing where containers get no GPUs.
    type: dict
"""

EXAMPLES = r"""
- name: Prove the container runtime
  gpufleet.inference.container_health:
    expect: "{{ __container_runtime_wishes | gpufleet.inference.container_runtime_expectation([]) }}"
"""

RETURN = r"""
_value:
  description: What is expected.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _runtime_change


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"container_runtime_expectation": _runtime_change.expectation}
