# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The form of a signature, and the kinds that node and controller must agree on."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _signature
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _diagnosis_of_group


def test_node_and_controller_know_the_same_kinds() -> None:
    assert _signature.KINDS == _diagnosis_of_group.KINDS


def test_a_signature_is_a_root_cause_in_any_log_unless_it_says_otherwise() -> None:
    one = _signature.Signature("name", "pattern", "cause", "fix", "source")
    assert (one.kind, one.engines, one.needs, one.where) == (_signature.ROOT, (), "", _signature.LOG)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.kind = _signature.NOTE  # type: ignore[misc]
