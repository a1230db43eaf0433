# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_scales as scales


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 141.4, [0, 50, 100, 150]),
        (0, 391, [0, 100, 200, 300, 400]),
        (0, 3421, [0, 1000, 2000, 3000, 4000]),
        (34, 68, [30, 40, 50, 60, 70]),
        (0, 0.9, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 0, [0, 1]),
    ],
)
def test_ticks_are_round_and_hold_all_values(low: float, high: float, found: list[float]) -> None:
    assert scales.ticks(low, high) == found


def test_powers_of_two_between_the_ends() -> None:
    assert scales.powers(1 << 20, 8 << 30) == [float(1 << place) for place in range(20, 34, 2)]
    assert scales.powers(1, 8) == [1.0, 2.0, 4.0, 8.0]
    assert scales.powers(1000, 1000) == []


@pytest.mark.parametrize(("value", "place"), [(0, 100.0), (5, 150.0), (10, 200.0), (12, 200.0), (-1, 100.0)])
def test_places_are_held_at_the_ends(value: float, place: float) -> None:
    assert scales.Scale(0, 10, 100, 200).at(value) == place


def test_a_logarithmic_scale_gives_each_doubling_the_same_room() -> None:
    scale = scales.Scale(1, 16, 0, 400, log=True)
    assert [scale.at(one) for one in (1, 2, 4, 8, 16)] == [0, 100, 200, 300, 400]


def test_one_value_alone_has_a_place() -> None:
    assert scales.Scale(8, 8, 10, 20, log=True).at(8) == 10


def test_noise_is_one_shade_and_a_fault_is_another() -> None:
    assert {scales.level(one, 389, 393) for one in (389, 391, 393)} == {scales.LEVELS - 1}
    assert [scales.level(one, 196, 393) for one in (196, 393)] == [0, scales.LEVELS - 1]
    assert scales.level(0, 0, 0) == scales.LEVELS - 1


def test_extent() -> None:
    assert scales.extent([3, 1, 2]) == (1, 3)
    assert scales.extent([]) == (0.0, 0.0)
