# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: load_test_files
short_description: The files that a load generator reads, one API key per target
version_added: 0.1.0
description:
  - Returns them as M(gpufleet.inference.file_set) takes them. Of a file of keys only the first key goes to the host.
author: The gpufleet founders (@gpufleet)
positional: texts, directory
options:
  _input:
    description: The targets of the load test.
    type: list
    elements: dict
    required: true
  texts:
    description: The text of each C(api_keys_path) and C(ca_path), by its path.
    type: dict
    required: true
  directory:
    description: Where the files belong on the host.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Count the files
  ansible.builtin.debug:
    msg: "{{ load_test_targets | gpufleet.inference.load_test_files(__load_test_texts, '/var/lib/gpufleet/load_test') | length }}"
"""

RETURN = r"""
_value:
  description: The files, with C(path), C(content), C(mode), C(secret).
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gateway_keys, _load_plan


def load_test_files(targets: list[dict[str, t.Any]], texts: dict[str, str], directory: str) -> list[dict[str, t.Any]]:
    """Return the files of all targets."""
    found = []
    for place, target in enumerate(targets):
        if path := target.get("api_keys_path"):
            keys, _mistakes = _gateway_keys.read_keys(texts[path])
            if not keys:
                raise AnsibleFilterError(f"{path} holds no key.")
            content = f"{keys[0]['key']}\n"
            found.append(
                {
                    "path": f"{directory}/{_load_plan.key_file(place)}",
                    "content": content,
                    "mode": "0600",
                    "secret": True,
                }
            )
        if path := target.get("ca_path"):
            found.append(
                {
                    "path": f"{directory}/{_load_plan.ca_file(place)}",
                    "content": texts[path],
                    "mode": "0644",
                    "secret": False,
                }
            )
    return found


class FilterModule:
    """The filter load_test_files."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"load_test_files": load_test_files}
