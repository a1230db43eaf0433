# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_kinds as load_kinds
from tests.unit.plugins.plugin_utils import load_samples as samples


def test_every_metric_of_a_recorded_point_has_a_value() -> None:
    (point, *_others) = samples.points(samples.wishes(slo={"ttft_ms": 60}))
    assert all((load_kinds.value(point, metric) or 0) > 0 for metric in load_kinds.METRICS)


def test_a_failed_point_has_none() -> None:
    (point, *_others) = samples.points(samples.wishes(), samples.recorded("refused"))
    assert {load_kinds.value(point, metric) for metric in load_kinds.METRICS} == {None}


@pytest.mark.parametrize(
    ("metric", "now", "reference", "worse"),
    [
        ("ttft_p50_ms", 110, 100, 0.1),
        ("output_tokens_per_second", 90, 100, 0.1),
        ("ttft_p50_ms", 50, 100, -0.5),
        ("ttft_p50_ms", 1, 0, 0),
    ],
)
def test_worse(metric: str, now: float, reference: float, worse: float) -> None:
    assert load_kinds.worse_by(metric, now, reference) == pytest.approx(worse)


def test_goodput_is_a_share_of_all_requests() -> None:
    result = samples.recorded("closed_4")
    (point, *_others) = samples.points(samples.wishes(), result)
    assert load_kinds.good_share(point) == pytest.approx(15 / 16, abs=1e-3)
    assert load_kinds.good_share({**point, "failed": 16}) == pytest.approx(15 / 32, abs=1e-3)
    assert load_kinds.good_share({**point, "good_requests_per_second": None}) is None


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (samples.recorded("closed_4"), ["351.5 tokens/s", "TTFT p50 45.1 ms (p99 62.1)", "94 % within the SLO"]),
        (samples.recorded("some"), ["7 FAILED (Service Unavailable)"]),
        (samples.recorded("refused"), ["no request was completed, 4 FAILED (Unauthorized)"]),
        ({"problem": "docker is not installed"}, ["not measured, docker is not installed"]),
    ],
)
def test_a_line(result: dict[str, object], words: list[str]) -> None:
    (point, *_others) = samples.points(samples.wishes(), result)
    line = load_kinds.line(point)
    assert line.startswith("deep gateway, 32/12, 1 client: ")
    assert [one for one in words if one not in line] == []
