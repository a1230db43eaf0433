# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import ACTIONS, strongest
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, PASS, WARN
from ansible_collections.gpufleet.inference.plugins.module_utils._xid_catalog import (
    FATAL_SXIDS,
    NVLINK5_XIDS,
    SEVERE_SXIDS,
    SXID_CATALOG_DATE,
    XID_CATALOG_DATE,
    XIDS,
)


@pytest.mark.parametrize("number", XIDS)
def test_rows_are_whole(number: int) -> None:
    row = XIDS[number]
    assert row.number == number
    assert row.meaning
    assert row.verdict in (PASS, WARN, FAIL)
    assert row.action in ACTIONS
    assert row.verdict != FAIL or row.action != "none", "a fault without an action"


def test_what_nvidia_resets_or_reboots_is_never_weaker_here() -> None:
    """NVIDIA's immediate actions of 2025-10-29, written down once more."""
    resets = (46, 48, 62, 64, 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158)
    weaker = [number for number in resets if strongest([XIDS[number].action, "reset"]) != XIDS[number].action]
    assert not weaker
    assert strongest([XIDS[79].action, "reboot"]) == XIDS[79].action
    assert {XIDS[number].verdict for number in (*resets, 79)} == {FAIL}


def test_applications_faults_do_not_condemn_a_node() -> None:
    assert {XIDS[number].verdict for number in (13, 31, 32, 43, 45, 69)} == {PASS}


def test_sets_of_numbers() -> None:
    assert set(XIDS) >= NVLINK5_XIDS
    assert not FATAL_SXIDS & SEVERE_SXIDS
    assert {12020, 22003, 23017} <= FATAL_SXIDS


@pytest.mark.parametrize("date", [XID_CATALOG_DATE, SXID_CATALOG_DATE])
def test_catalogues_are_dated(date: str) -> None:
    assert datetime.date.fromisoformat(date)
