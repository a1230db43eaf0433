# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_matrix as matrix

Cells = dict[tuple[str, str], dict[str, t.Any]]


def cells(**values: float | None) -> Cells:
    return {
        (name[0], name[1]): {"value": value, "verdict": "pass" if value else "not_verified"}
        for name, value in values.items()
    }


def test_numbers_stand_in_their_cells() -> None:
    found = matrix.matrix("t", "GB/s", ["a", "b"], ["a", "b"], cells(ab=391, ba=196))
    assert [(one["tip"], one["text"]) for one in found["cells"]] == [
        ("a to b: 391 GB/s", "391"),
        ("b to a: 196 GB/s", "196"),
    ]
    assert found["cells"][0]["x"] > found["cells"][1]["x"] and found["cells"][0]["y"] < found["cells"][1]["y"]
    assert found["cells"][0]["level"] > found["cells"][1]["level"]


@pytest.mark.parametrize(("better", "worst"), [("higher", "b to a"), ("lower", "a to b")])
def test_the_worst_pair_is_told(better: str, worst: str) -> None:
    found = matrix.matrix("t", "us", ["a", "b"], ["a", "b"], cells(ab=9.7, ba=2.1), better)
    assert f"the worst is {worst}" in found["alt"]


def test_what_could_not_be_measured_is_a_cell_of_its_own() -> None:
    found = matrix.matrix("t", "GB/s", ["a", "b"], ["a", "b"], cells(ab=391, ba=None))
    assert (found["cells"][1]["level"], found["cells"][1]["text"]) == (None, "?")
    assert found["cells"][1]["tip"] == "b to a: not measured"
    assert "1 pairs could not be measured" in found["alt"]


def test_nothing_measured_is_no_scale() -> None:
    found = matrix.matrix("t", "GB/s", ["a", "b"], ["a", "b"], cells(ab=None))
    assert found["key"] is None
    assert found["alt"] == "None of 1 pairs could be measured."


@pytest.mark.parametrize(("count", "numbers"), [(8, True), (20, True), (21, False), (64, False)])
def test_many_rows_have_no_numbers_but_tips(count: int, numbers: bool) -> None:
    names = [f"n{place}" for place in range(count)]
    found = matrix.matrix("t", "", names, names, {(one, names[0]): {"value": 1.0, "verdict": "pass"} for one in names})
    assert all(bool(one["text"]) == numbers and one["tip"] for one in found["cells"])
    assert max(one["x"] + found["cell"]["width"] for one in found["cells"]) <= found["width"]


@pytest.mark.parametrize(("column", "turned"), [("gpu 0", False), ("mlx5_0 -> ibp41s0f0", True)])
def test_labels_are_turned_where_they_have_no_room(column: str, turned: bool) -> None:
    found = matrix.matrix("t", "", ["a"], [column], {("a", column): {"value": 1.0, "verdict": "pass"}})
    assert found["turned"] is turned


def test_the_scale_names_its_ends() -> None:
    assert matrix.matrix("t", "Gb/s", ["a"], ["b"], cells(ab=392))["key"] == {
        **matrix.matrix("t", "Gb/s", ["a"], ["b"], cells(ab=392))["key"],
        "low": "294",
        "high": "392 Gb/s",
    }
