# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: load_test_plan
short_description: Decide which points a load test measures, and how
version_added: 0.1.0
description:
  - Returns the points of a sweep, each as one bounded command, or what of the wishes forbids it.
author: The gpufleet founders (@gpufleet)
positional: wishes
options:
  _input:
    description: The return value C(node) of M(gpufleet.inference.node_facts) of the host that makes the load.
    type: dict
    required: true
  wishes:
    description: The variables of the role without their prefix, and C(started).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what would be measured
  ansible.builtin.debug:
    msg: "{{ (load_test_node | gpufleet.inference.load_test_plan(__load_test_wishes)).points | map(attribute='label') }}"
"""

RETURN = r"""
_value:
  description:
    - C(mistakes), C(points), C(sweep) (what makes runs comparable), and C(leftover), the container of a run that was cut off.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_mistakes, _load_plan


def load_test_plan(node: dict[str, t.Any], wishes: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the plan of a load test."""
    found = _load_mistakes.mistakes(wishes, node)
    return {
        "mistakes": found,
        "points": [] if found else _load_plan.points(wishes, node),
        "sweep": _load_plan.sweep(wishes),
        "leftover": _load_plan.CONTAINER if _load_plan.CONTAINER in node["docker"]["containers"] else "",
    }


class FilterModule:
    """The filter load_test_plan."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"load_test_plan": load_test_plan}
