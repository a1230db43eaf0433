# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: acceptance_history
author: The gpufleet founders (@gpufleet)
version_added: 0.1.0
short_description: Earlier acceptances of the same fleet, and its baseline
description:
  - Reads the reports of earlier burn-ins on the controller. A file that is no report becomes a note, never an error.
options:
  _terms:
    description: Not used.
  run:
    description: The run that is about to be reported; of another fleet or tier nothing is returned.
    type: dict
    required: true
  directory:
    description: Where the reports are.
    type: str
    required: true
  baseline_path:
    description: The file with this fleet's own figures; it may be missing.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show when this fleet was measured last
  ansible.builtin.debug:
    msg: "{{ lookup('gpufleet.inference.acceptance_history', run=__burn_in_run, directory='reports/acceptance').previous.started }}"
"""

RETURN = r"""
_raw:
  description:
    - C(previous), the last report of this fleet and tier; C(history), a summary of up to eight; C(baseline).
    - C(root) and C(path), where reports are and where the new one belongs; C(notes), what could not be read.
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance, _acceptance_history


class LookupModule(LookupBase):
    """Look at earlier reports on the controller."""

    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        self.set_options(var_options=variables, direct=kwargs)
        run = self.get_option("run")
        if wrong := _acceptance.mistakes(run):
            raise AnsibleLookupError(f"The measurements of the burn-in cannot be read. {' '.join(wrong)}")
        return [_acceptance_history.read(self.get_option("directory"), self.get_option("baseline_path"), run)]
