# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: monitoring_units
short_description: Decide which packages and units monitoring needs on a node
version_added: 0.1.0
description:
  - Compares what M(gpufleet.inference.node_facts) read with the wishes, and lists every mistake in them.
author: The gpufleet founders (@gpufleet)
positional: wishes
options:
  _input:
    description: The return value C(node) of M(gpufleet.inference.node_facts).
    type: dict
    required: true
  wishes:
    description: See C(plan) of C(plugin_utils/_monitoring_units.py).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what would run here
  ansible.builtin.debug:
    msg: "{{ (monitoring_node | gpufleet.inference.monitoring_units(__monitoring_wishes)).units }}"
"""

RETURN = r"""
_value:
  description: A dictionary with C(units), C(unwanted), C(idle), C(packages), C(stock_units) and C(mistakes).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _monitoring_units


def monitoring_units(node: dict[str, t.Any], wishes: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the plan; see ``_monitoring_units.plan``."""
    return _monitoring_units.plan(node, wishes)


class FilterModule:
    """The filter monitoring_units."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"monitoring_units": monitoring_units}
