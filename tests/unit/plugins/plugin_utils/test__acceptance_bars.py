# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_bars as bars


def row(label: str, value: float | None, floor: float | None = None, verdict: str = "pass") -> dict[str, t.Any]:
    return {"label": label, "value": value, "floor": floor, "verdict": verdict}


def test_bars_are_as_long_as_their_values() -> None:
    found = bars.bars("t", "GB/s", [row("gpu 0", 100), row("gpu 1", 50), row("gpu 2", 0)])
    first, second, third = (one["width"] for one in found["rows"])
    assert first == 2 * second > 0 == third
    assert [one["text"] for one in found["rows"]] == ["100 GB/s", "50 GB/s", "0 GB/s"]


def test_a_bar_below_its_floor_ends_left_of_it() -> None:
    found = bars.bars("t", "TFLOP/s", [row("gpu 0", 114, 128, "fail"), row("gpu 1", 141, 128)])
    low, high = found["rows"]
    assert found["left"] + low["width"] < low["floor"] == high["floor"] < found["left"] + high["width"]
    assert low["tip"] == "gpu 0: 114 TFLOP/s, floor 128 TFLOP/s"
    assert "Failed: gpu 0" in found["alt"] and "128 TFLOP/s" in found["alt"]


def test_what_was_not_measured_has_a_row_and_no_bar() -> None:
    found = bars.bars("t", "GB/s", [row("gpu 0", 55), row("gpu 1", None, None, "not_verified")])
    assert (found["rows"][1]["width"], found["rows"][1]["text"]) == (0, "not measured")
    assert found["alt"].startswith("1 of 2 values, from 55 GB/s to 55 GB/s.")
    assert "no published floor" in found["alt"]


def test_long_names_are_cut_and_whole_in_the_tip() -> None:
    found = bars.bars("t", "", [row("gpu-node-with-a-very-long-name.example", 1)])["rows"][0]
    assert found["label"].endswith("…") and len(found["label"]) == 18
    assert found["tip"].startswith("gpu-node-with-a-very-long-name.example")


@pytest.mark.parametrize(("low", "high", "text"), [(36, 58, "36 – 58 °C"), (61, 61, "61 °C")])
def test_ranges(low: float, high: float, text: str) -> None:
    rows = [{"label": "gpu 0", "low": low, "middle": (low + high) / 2, "high": high, "verdict": "pass"}]
    found = bars.ranges("t", "degC", rows)
    one = found["rows"][0]
    assert one["text"] == text
    assert found["left"] <= one["low"] <= one["middle"] <= one["high"] <= found["width"]


def test_the_spread_of_temperatures_is_told() -> None:
    rows = [
        {"label": f"gpu {place}", "low": 30, "middle": 50, "high": high, "verdict": "pass"}
        for place, high in enumerate((58, 91))
    ]
    assert "33 °C apart" in bars.ranges("t", "degC", rows)["alt"]
