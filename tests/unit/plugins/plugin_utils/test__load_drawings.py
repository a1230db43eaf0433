# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_drawings as load_drawings
from tests.unit.plugins.plugin_utils import load_samples as samples

TWO = [samples.target("a gateway"), samples.target("b gateway")]


def test_throughput_and_latency_are_drawn_over_the_load_with_a_line_per_target() -> None:
    found = load_drawings.over_load(samples.points(samples.wishes(targets=TWO, concurrency=[1, 2, 4])))
    assert [one["title"] for one in found] == [
        f"{title}, 32/12, closed loop" for title, _metric in load_drawings.OVER_LOAD
    ]
    assert [line["name"] for line in found[0]["lines"]] == ["a gateway", "b gateway"]
    assert [tick["text"] for tick in found[0]["x_ticks"]] == ["1", "2", "4"]
    assert found[0]["axis"] == "clients"
    assert found[0]["lines"][0]["dots"][0]["tip"] == "a gateway, 1: 351.5 tokens/s"


def test_an_open_loop_has_a_drawing_of_its_own() -> None:
    found = load_drawings.over_load(samples.points(samples.wishes(rates=[0.5, 1.0])))
    assert [one["axis"] for one in found] == ["clients"] * 3 + ["requests/s"] * 3


def test_one_load_is_no_curve_and_failed_points_are_no_dots() -> None:
    assert load_drawings.over_load(samples.points(samples.wishes(concurrency=[4]))) == []
    good, bad = samples.recorded("closed_4"), samples.recorded("refused")
    (first, *_others) = load_drawings.over_load(samples.points(samples.wishes(concurrency=[1, 2, 4]), good, bad, good))
    assert len(first["lines"][0]["dots"]) == 2


def test_a_cdf_ends_at_the_whole() -> None:
    assert load_drawings.cumulated([10.0, 20.0, 30.0, 40.0]) == [[10, 25], [20, 50], [30, 75], [40, 100]]
    assert load_drawings.cumulated([5.0]) == [[5.0, 100.0]]
    many = load_drawings.cumulated([float(one) for one in range(5000)])
    assert len(many) == 101 and many[-1] == [4999.0, 100.0]
    assert all(before[1] < after[1] for before, after in itertools.pairwise(many))


@pytest.mark.parametrize(
    "samples_ms",
    [[1.0], [100.0] * 7, [float(one) for one in range(100)], [10.0, 11.0, 12.0, 13.0] * 60 + [9000.0]],
)
def test_each_request_is_in_one_bin(samples_ms: list[float]) -> None:
    edges, counts = load_drawings.binned(sorted(samples_ms))
    assert sum(counts) == len(samples_ms)
    assert len(counts) in (len(edges) - 1, len(edges))
    assert len(counts) <= 2 * load_drawings.BINS


def test_one_slow_request_leaves_the_others_their_room() -> None:
    edges, counts = load_drawings.binned(sorted([10.0, 11.0, 12.0, 13.0] * 60 + [9000.0]))
    assert edges[-1] < 20 and counts[-1] == 1


def test_a_histogram_counts_all_requests_not_only_the_kept_samples() -> None:
    (point, *_others) = samples.points(samples.wishes(), samples.recorded("closed_4", completed=1600))
    drawing = load_drawings.histogram("t", point)
    assert sum(int(row["text"]) for row in drawing["rows"]) == 1600
    assert drawing["alt"] == "1600 requests, median 123.3 ms, 99th percentile 141.1 ms."


def test_of_a_load_there_are_one_cdf_and_a_histogram_each() -> None:
    points = samples.points(samples.wishes(targets=TWO, concurrency=[4]))
    assert [one["shape"] for one in load_drawings.of_load(points)] == ["curve", "bars", "bars"]
    failed = samples.points(samples.wishes(concurrency=[4]), samples.recorded("refused"))
    assert load_drawings.of_load(failed) == []
