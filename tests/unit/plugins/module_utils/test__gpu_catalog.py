# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import re

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_card import FABRICS, Card, Floor
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_catalog import BY_DEVICE_ID, BY_KIND, CARDS, find

#: A floor outside this share of the physical peak is a mistake of unit or of hope.
LEAST, MOST = 0.3, 0.95
FLOORS = [(card, floor) for card in CARDS for floor in card.floors if floor.value is not None]


@pytest.mark.parametrize(("card", "floor"), FLOORS, ids=lambda one: getattr(one, "kind", getattr(one, "what", "")))
def test_floors_are_credible(card: Card, floor: Floor) -> None:
    peak = card.peak(floor.what)
    assert floor.value is not None
    assert peak is not None, f"{card.kind}: the peak of {floor.what} is not known"
    assert LEAST <= floor.value / peak <= MOST, f"{card.kind}: {floor.what} {floor.value} of {peak}"
    assert floor.source and datetime.date.fromisoformat(floor.date)


def test_dcgms_wrong_floors_would_be_refused() -> None:
    """peers.md 2.0: 2 333 for an H200, 137 500 for an A100, in MB/s."""
    for kind, value in (("h200-sxm-141", 2333), ("a100-sxm-40", 137500)):
        peak = BY_KIND[kind].peak("hbm_copy_mb_s")
        assert peak is not None and value / peak < LEAST


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.kind)
def test_rows_are_whole(card: Card) -> None:
    assert card.fabric in FABRICS
    assert card.module_flavours and set(card.module_flavours) <= {"open", "proprietary"}
    assert all(re.fullmatch(r"[0-9a-f]{4}", one) for one in card.device_ids)
    assert card.source and datetime.date.fromisoformat(card.date)
    assert (card.fabric == "none") == (card.nvlinks == 0)
    assert all(floor.source and floor.date for floor in card.floors)


@pytest.mark.parametrize(
    ("device_id", "kind"),
    [
        ("2329", "h20-96"),
        ("232c", "h20-3e-141"),
        ("2324", "h800-sxm-80"),
        ("20f3", "a800-sxm-80"),
        ("2335", "h200-sxm-141"),
        ("2901", "b200-sxm-180"),
        ("3182", "b300-sxm-270"),
        ("2941", "gb200"),
        ("26b9", "l40s"),
        ("26ba", "l20"),
        ("1eb8", "t4"),
    ],
)
def test_cards_of_the_brief(device_id: str, kind: str) -> None:
    assert BY_DEVICE_ID[device_id].kind == kind
    assert find(device_id.upper()) is find(kind) is BY_KIND[kind]


def test_blackwell_and_grace_take_open_modules_only() -> None:
    assert {card.module_flavours for card in CARDS if card.architecture == "blackwell"} == {("open",)}


def test_an_unknown_card_is_none() -> None:
    assert find("3fff") is None
