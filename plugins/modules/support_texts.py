#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: support_texts
short_description: Read on a node what helps to find a fault
version_added: 0.1.0
description:
  - Reads units and their journals, logs and inspection of our containers, plans, configuration, kernel log, versions, and what is
    listening, each bounded in time and size.
  - Files that hold secrets by their name are left out; what looks like a secret or a prompt is cut before it leaves the node.
extends_documentation_fragment:
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  lines:
    description: How many lines of each unit's journal are read.
    type: int
    default: 5000
"""

EXAMPLES = r"""
- name: Read the node
  gpufleet.inference.support_texts:
  register: __collect_read
  no_log: true
"""

RETURN = r"""
texts:
  description: Name in the bundle to text.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _support


def main() -> None:
    module = AnsibleModule(argument_spec={"lines": {"type": "int", "default": 5000}}, supports_check_mode=True)
    module.exit_json(changed=False, texts=_support.texts(module.params["lines"]))


if __name__ == "__main__":
    main()
