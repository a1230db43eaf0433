# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verdict_metrics
short_description: Write verdicts in the text format that Prometheus reads
version_added: 0.1.0
description:
  - Counts the checks of registered proofs by verdict, names those that did not pass, and says when that was.
author: The gpufleet founders (@gpufleet)
positional: now
options:
  _input:
    description: Name of a proof to its registered result. A result without checks is left out.
    type: dict
    required: true
  now:
    description: Seconds since 1970.
    type: float
    required: true
"""

EXAMPLES = r"""
- name: Show the metrics
  ansible.builtin.debug:
    msg: "{{ {'host': __os_tuning_proof} | gpufleet.inference.verdict_metrics(now().timestamp()) }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _verdict_metrics


def verdict_metrics(proofs: dict[str, t.Any], now: float) -> str:
    """Return the metrics; see ``_verdict_metrics.text``."""
    return _verdict_metrics.text(proofs, now)


class FilterModule:
    """The filter verdict_metrics."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"verdict_metrics": verdict_metrics}
