# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import (
    ACTIONS,
    RECOVERY_ACTIONS,
    recovery_action,
    stronger,
    strongest,
)

ORDER = list(ACTIONS)


@pytest.mark.parametrize(("one", "other"), list(itertools.product(ACTIONS, ACTIONS)))
def test_merging_never_weakens(one: str, other: str) -> None:
    merged = strongest([one, other])
    assert ORDER.index(merged) == max(ORDER.index(one), ORDER.index(other))
    assert merged == strongest([other, one])
    assert stronger(one, other) == (ORDER.index(one) > ORDER.index(other))


def test_merging_does_not_depend_on_the_order() -> None:
    for one, other, third in itertools.product(ACTIONS, repeat=3):
        assert strongest([strongest([one, other]), third]) == strongest([one, strongest([other, third])])


def test_nothing_to_do_is_none() -> None:
    assert strongest([]) == "none"


@pytest.mark.parametrize("word", ["Reboot", "GPU_Reset", "", "Reset_GPU"])
def test_an_unknown_action_is_an_error(word: str) -> None:
    with pytest.raises(ValueError, match="unknown action"):
        strongest(["reset", word])


def test_every_recovery_code_has_an_action() -> None:
    assert set(RECOVERY_ACTIONS.values()) <= set(ACTIONS)
    assert RECOVERY_ACTIONS[0] == "none"


@pytest.mark.parametrize(
    ("words", "action"),
    [
        ("to 0x0 (None)", "none"),
        ("to 0x1 (GPU Reset Required)", "reset"),
        ("to 0x2 (Node Reboot Required)", "reboot"),
        ("to 0x3 (Drain P2P)", "drain"),
        ("to 0x4 (Drain and Reset)", "reset"),
        ("to 0x2", "reboot"),
        ("to 0x1 (some new words)", "reset"),
        ("to 0x99 (some new words)", None),
        ("nothing of the kind", None),
    ],
)
def test_the_text_of_xid_154(words: str, action: str | None) -> None:
    assert recovery_action(f"GPU recovery action changed from 0x0 (None) {words}") == action
