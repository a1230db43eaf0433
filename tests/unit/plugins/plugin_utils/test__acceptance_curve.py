# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_curve as curve

MIB, GIB = 1 << 20, 1 << 30


def line(name: str, *points: tuple[float, float], floor: t.Any = None) -> dict[str, t.Any]:
    return {"name": name, "points": [list(one) for one in points], "floor": floor}


def test_sizes_are_logarithmic_and_speeds_start_at_zero() -> None:
    found = curve.curve("t", "GB/s", [line("Ring", (MIB, 0), (4 * MIB, 50), (16 * MIB, 100))])
    first, second, third = found["lines"][0]["dots"]
    assert second["x"] - first["x"] == third["x"] - second["x"] > 0
    assert first["y"] == found["bottom"] > second["y"] > third["y"] >= 0
    assert third["tip"] == "Ring, 16 MiB: 100 GB/s"
    assert found["lines"][0]["points"].split()[0] == f"{first['x']},{first['y']}"
    assert "highest value is 100 GB/s at 16 MiB" in found["alt"]


def test_a_floor_is_drawn_at_its_size_once() -> None:
    floor = [8 * GIB, 170]
    found = curve.curve(
        "t", "GB/s", [line("a", (MIB, 1), (8 * GIB, 190), floor=floor), line("b", (MIB, 1), floor=floor)]
    )
    assert [one["text"] for one in found["floors"]] == ["floor 170 GB/s at 8 GiB"]
    assert found["floors"][0]["x"] == found["right"]
    assert "A floor is 170 GB/s at 8 GiB." in found["alt"]


def test_a_floor_above_all_values_is_inside() -> None:
    found = curve.curve("t", "GB/s", [line("a", (MIB, 20), floor=[MIB, 170])])
    assert 0 <= found["floors"][0]["y"] < found["lines"][0]["dots"][0]["y"]


def test_lines_are_told_apart_by_more_than_colour_and_named() -> None:
    found = curve.curve("t", "GB/s", [line(f"line {place}", (MIB, place), (GIB, 9)) for place in range(4)])
    assert len({one["style"] for one in found["lines"]}) == 4
    assert [one["text"] for one in found["legend"]] == [f"line {place}" for place in range(4)]
    assert found["height"] >= found["legend"][-1]["y"] + curve.LINE


def test_one_line_needs_no_legend() -> None:
    assert curve.curve("t", "GB/s", [line("a", (MIB, 1))])["legend"] == []


CLIENTS = curve.Axis("clients", "numbers of clients", lambda one: f"{one:g}")
SECONDS = curve.Axis("s", "seconds", lambda one: f"{one:g} s", log=False)


def test_another_axis_has_its_own_name_and_texts() -> None:
    found = curve.curve("t", "tokens/s", [line("a", (1, 10), (4, 30))], CLIENTS)
    assert (found["axis"], [one["text"] for one in found["x_ticks"]]) == ("clients", ["1", "2", "4"])
    assert found["lines"][0]["dots"][0]["tip"] == "a, 1: 10 tokens/s"
    assert "over numbers of clients; the highest value is 30 tokens/s at 4." in found["alt"]
    assert curve.curve("t", "GB/s", [line("a", (MIB, 1))])["axis"] == "message size"


def test_a_linear_axis_has_round_ends_and_may_begin_at_zero() -> None:
    found = curve.curve("t", "%", [line("a", (0, 1), (3, 50), (9, 100))], SECONDS, dots=False)
    assert [one["text"] for one in found["x_ticks"]] == ["0 s", "2 s", "4 s", "6 s", "8 s", "10 s"]
    assert found["lines"][0]["dots"] == [] and len(found["lines"][0]["points"].split()) == 3
    places = [float(one.split(",")[0]) for one in found["lines"][0]["points"].split()]
    assert places[2] - places[1] == pytest.approx(2 * (places[1] - places[0]), abs=0.2)
