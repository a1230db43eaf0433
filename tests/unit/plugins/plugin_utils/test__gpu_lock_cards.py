# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_cards import CARDS, known, unknown


@pytest.mark.parametrize("number", CARDS)
def test_rows_are_possible(number: str) -> None:
    card = CARDS[number]
    assert re.fullmatch(r"[0-9a-f]{4}", number)
    assert set(card.flavours) <= {"open", "proprietary"} and card.flavours
    assert (card.least_branch or 0) <= (card.last_branch or 999)


def test_known_and_unknown_cards() -> None:
    assert [card.name for card in known(["2329", "2329", "ffff"])] == ["H20 96 GB"]
    assert unknown(["2329", "ffff", "ffff"]) == ["ffff"]


def test_blackwell_and_grace_have_no_proprietary_modules() -> None:
    assert all(CARDS[one].flavours == ("open",) for one in ("2901", "2941", "3182", "31c2", "2342"))
