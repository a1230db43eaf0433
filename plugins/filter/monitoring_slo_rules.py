# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: monitoring_slo_rules
short_description: Make the recording rules of the SLOs
version_added: 0.1.0
description:
  - Returns the content of a rule file of Prometheus, with the share of slow requests per deployment and window.
  - Boundaries are those of the engine's own histograms; an objective between two of them is measured at the lower one.
author: The gpufleet founders (@gpufleet)
positional: slo, own
options:
  _input:
    description: The deployments, each with C(name) and C(engine).
    type: list
    elements: dict
    required: true
  slo:
    description: C(ttft_seconds), C(tpot_seconds) and C(objective), the share of requests that must keep them.
    type: dict
    required: true
  own:
    description: Name of a deployment to keys of O(slo) that are its own.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show the rules
  ansible.builtin.debug:
    msg: "{{ [{'name': 'r1', 'engine': 'vllm'}] | gpufleet.inference.monitoring_slo_rules(monitoring_slo) }}"
"""

RETURN = r"""
_value:
  description: A dictionary with C(groups).
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _monitoring_slo


def monitoring_slo_rules(
    deployments: list[dict[str, str]], slo: dict[str, t.Any], own: dict[str, t.Any] | None = None
) -> dict[str, t.Any]:
    """Return the rules, or raise AnsibleFilterError with all mistakes."""
    found = _monitoring_slo.mistakes(deployments, slo, own or {})
    if found:
        raise AnsibleFilterError(" ".join(f"{one}." for one in found))
    return _monitoring_slo.rules(deployments, slo, own or {})


class FilterModule:
    """The filter monitoring_slo_rules."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"monitoring_slo_rules": monitoring_slo_rules}
