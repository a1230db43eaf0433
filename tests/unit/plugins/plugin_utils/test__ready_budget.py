# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a start may take, as the plan says it; the table of cases of whole plans is in test__plan.py."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _ready_budget

R1 = 688_586_727_753


@pytest.mark.parametrize(
    ("speeds", "unseen", "most", "words"),
    [
        ({"a": 0}, (), 6142, "688.6 GB at 0.2 GB/s or half of what a sample shows at the start"),
        ({"a": 0}, ("b",), 6142, "0.2 GB/s, unless engine_read_gbs is declared for all of its nodes"),
        ({"a": 6.0}, (), 6142, "half of 6 GB/s, as engine_read_gbs says"),
        ({"a": 0.2, "b": 6.0}, (), 2700 + 6885, "half of 0.2 GB/s"),
    ],
)
def test_parts_and_words(speeds: dict[str, float], unseen: tuple[str, ...], most: int, words: str) -> None:
    found = _ready_budget.parts(0, 900, 1800, R1, "/models/r1", speeds, unseen)
    assert found["ready_budget_seconds"] == most
    assert words in _ready_budget.line(most, found["budget"])
