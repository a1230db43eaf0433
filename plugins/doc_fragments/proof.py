# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What all proof modules have in common; the option ``expect`` is each module's own."""

    DOCUMENTATION = r"""
options:
  fail_on:
    description: The verdicts that fail the task.
    type: list
    elements: str
    choices: [warn, not_verified, fail]
    default: [fail]
  strict:
    description: Whether V(not_verified) fails the task as well.
    type: bool
    default: false
"""

    # Modules that only look.
    READ_ONLY = r"""
attributes:
  check_mode:
    description: Changes nothing, so check mode is the same.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  idempotent:
    description: It changes nothing.
    support: full
"""
