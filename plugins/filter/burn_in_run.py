# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: burn_in_run
short_description: Put what all nodes measured together into one run
version_added: 0.1.0
description:
  - Every member is in the fleet of the run, also one that gave nothing.
author: The gpufleet founders (@gpufleet)
positional: measured, facts
options:
  _input:
    description: The names of all nodes.
    type: list
    elements: str
    required: true
  measured:
    description: Per node, what M(gpufleet.inference.gpu_speed) returned as C(run); none where it gave nothing.
    type: dict
    required: true
  facts:
    description: Per node, what else is known of it, such as C(gpus), C(nics), C(nic_gbps).
    type: dict
    default: {}
  fabric:
    description: Measurements between nodes.
    type: list
    elements: dict
    default: []
  checks:
    description: What a part of the burn-in has judged itself.
    type: list
    elements: dict
    default: []
  tier:
    description: The tier that was measured.
    type: str
    required: true
  started:
    description: When, in ISO 8601.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show how many figures there are
  ansible.builtin.debug:
    msg: "{{ (['n1'] | gpufleet.inference.burn_in_run(said, tier='quick', started='2026-11-22T10:00:00+00:00')).measurements | length }}"
"""

RETURN = r"""
_value:
  description: The run, with C(schema), C(tier), C(started), C(fleet), C(measurements) and C(checks).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _burn_in


def burn_in_run(
    members: list[str],
    measured: dict[str, t.Any],
    facts: dict[str, t.Any] | None = None,
    fabric: list[dict[str, t.Any]] | None = None,
    checks: list[dict[str, t.Any]] | None = None,
    tier: str = "",
    started: str = "",
) -> dict[str, t.Any]:
    """Return the run of all nodes."""
    run = _burn_in.merged(members, measured, facts or {}, fabric or [], tier, started)
    return {**run, "checks": checks or []}


class FilterModule:
    """The filter burn_in_run."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"burn_in_run": burn_in_run}
