# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: acceptance_baseline
short_description: Make this fleet's own figures its thresholds
version_added: 0.1.0
description:
  - Takes the medians of a judged burn-in as expected figures, for everything that nobody has published.
  - Fails for a run with failed checks, unless forced, and for a run without any figure.
author: The gpufleet founders (@gpufleet)
positional: stored
options:
  _input:
    description: The C(document) of P(gpufleet.inference.acceptance_report#filter).
    type: dict
    required: true
  stored:
    description: The baseline so far; what this run did not measure is kept.
    type: dict
    default: {}
  force:
    description: Whether a run with failed checks may become the norm.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what this fleet reaches
  ansible.builtin.debug:
    msg: "{{ __burn_in_report.document | gpufleet.inference.acceptance_baseline(__burn_in_history.baseline) }}"
"""

RETURN = r"""
_value:
  description: The text of the baseline's file.
  type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_baseline, _acceptance_thresholds


def acceptance_baseline(document: dict[str, t.Any], stored: dict[str, t.Any] | None = None, force: bool = False) -> str:
    """Return the text of the baseline's file, or raise AnsibleFilterError with the reason."""
    try:
        return _acceptance_baseline.to_json(
            _acceptance_baseline.capture(document, _acceptance_thresholds.gpu_kind, stored, force)
        )
    except _acceptance_baseline.Refused as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter acceptance_baseline."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"acceptance_baseline": acceptance_baseline}
