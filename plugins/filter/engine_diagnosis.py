# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: engine_diagnosis
short_description: From what each node found to the one cause of a group that did not start
version_added: 0.2.0
description:
  - Takes results of M(gpufleet.inference.engine_diagnosis) by node. The first error wins, a root cause before what it
    brought about on other ranks.
author: The gpufleet founders (@gpufleet)
positional: []
options:
  _input:
    description: Inventory name to result of the module there.
    type: dict
    required: true
  plan:
    description: The deployment's item of C(engine_fleet.deployments); with it a rank that has no container is a finding too.
    type: dict
"""

EXAMPLES = r"""
- name: Say why the deployment did not start
  ansible.builtin.fail:
    msg: "{{ (results | gpufleet.inference.engine_diagnosis(plan=plan)).text }}"
"""

RETURN = r"""
_value:
  description:
    - C(cause), C(fix), C(evidence) (at most ten lines), C(name), C(kind), C(node), C(rank), C(also) with the other findings,
      and C(text), all of it for a terminal.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _diagnosis_of_group


def engine_diagnosis(
    nodes: t.Mapping[str, t.Mapping[str, t.Any]], plan: t.Mapping[str, t.Any] | None = None
) -> dict[str, t.Any]:
    """Return the one cause of a group, and the same as ``text``."""
    verdict = _diagnosis_of_group.diagnose(nodes, plan)
    return {**verdict, "text": _diagnosis_of_group.sentence(verdict)}


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"engine_diagnosis": engine_diagnosis}
