# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: monitoring_copies
short_description: Name the files that monitoring hands on as they are
version_added: 0.1.0
description:
  - Rules, credentials and certificates, as items of M(gpufleet.inference.file_set).
author: The gpufleet founders (@gpufleet)
positional: directory, group, secrets, endpoints
options:
  _input:
    description: Names of the rule files.
    type: list
    elements: str
    required: true
  directory:
    description: Where they lie on the node.
    type: str
    required: true
  group:
    description: Who may read secrets.
    type: str
    required: true
  secrets:
    description: Path on the node to file on the controller.
    type: dict
    required: true
  endpoints:
    description: What is asked, each with C(url) and maybe C(ca_path).
    type: list
    elements: dict
    required: true
  grafana_password_path:
    description: File on the controller with Grafana's first password; empty where there is no Grafana.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show them
  ansible.builtin.debug:
    msg: "{{ ['host'] | gpufleet.inference.monitoring_copies('/etc/gpufleet-monitoring', 'prometheus', {}, []) }}"
"""

RETURN = r"""
_value:
  description: Items of the option C(files).
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _monitoring_units


def monitoring_copies(
    rules: list[str],
    directory: str,
    group: str,
    secrets: dict[str, str],
    endpoints: list[dict[str, t.Any]],
    grafana_password_path: str = "",
) -> list[dict[str, t.Any]]:
    """Return the items; see ``_monitoring_units.copies``."""
    found = _monitoring_units.copies(rules, directory, group, secrets, endpoints)
    return found + (_monitoring_units.grafana_copies(directory, grafana_password_path) if grafana_password_path else [])


class FilterModule:
    """The filter monitoring_copies."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"monitoring_copies": monitoring_copies}
