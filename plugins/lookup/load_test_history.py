# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: load_test_history
author: The gpufleet founders (@gpufleet)
version_added: 0.1.0
short_description: Earlier load tests of the same sweep
description:
  - Reads the reports of earlier load tests on the controller. A file that is no report becomes a note, never an error.
options:
  _terms:
    description: Not used.
  directory:
    description: Where the reports are.
    type: str
    required: true
  started:
    description: When the run started that is about to be reported.
    type: str
    required: true
  host:
    description: The host that makes the load.
    type: str
    required: true
  sweep:
    description: What P(gpufleet.inference.load_test_plan#filter) returned as C(sweep).
    type: dict
    required: true
  targets:
    description: The names of the targets; of a run without any of them nothing is returned.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show when this was measured last
  ansible.builtin.debug:
    msg: >-
      {{ lookup('gpufleet.inference.load_test_history', directory='reports/load_test', started='2026-11-22T10:00:00+00:00', host='gw1',
         sweep=__load_test_plan.sweep, targets=['deepseek gateway']).previous.started | default('never') }}
"""

RETURN = r"""
_raw:
  description:
    - C(previous), the last report; C(history), a summary of up to eight; C(root) and C(path), where reports are and where the new one
      belongs; C(notes), what could not be read.
  type: list
  elements: dict
"""

import typing as t

from ansible.plugins.lookup import LookupBase

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_history, _result


class LookupModule(LookupBase):
    """Look at earlier reports on the controller."""

    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        self.set_options(var_options=variables, direct=kwargs)
        return [
            _load_history.read(
                self.get_option("directory"),
                self.get_option("started"),
                self.get_option("host"),
                _result.scrub(self.get_option("sweep")),
                self.get_option("targets"),
            )
        ]
