# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_compare as load_compare
from tests.unit.plugins.plugin_utils import load_samples as samples

GOOD = samples.recorded("closed_4")
METRICS = ["output_tokens_per_second", "ttft_p50_ms"]


def compared(factor: float, share: float = 0.1, **facts: t.Any) -> dict[str, t.Any]:
    """Compare two points with an earlier run in which they were recorded; now they are faster by a factor."""
    before = samples.document(None, GOOD, GOOD)
    now = samples.points(samples.wishes(), samples.faster(GOOD, factor), samples.faster(GOOD, factor))
    targets = {"deep gateway": {**before["fleet"]["deep gateway"], **facts}}
    return load_compare.comparison(now, targets, before, METRICS, share)


@pytest.mark.parametrize(
    ("factor", "share", "verdict"),
    [
        (1.0, 0.1, "pass"),
        (0.95, 0.1, "pass"),
        (0.8, 0.1, "fail"),
        (0.8, 0.3, "pass"),
        (0.8, 0.0, "pass"),
        (2.0, 0.1, "pass"),
    ],
)
def test_the_gate(factor: float, share: float, verdict: str) -> None:
    found = compared(factor, share)
    assert {row["verdict"] for row in found["rows"]} == {verdict}
    checks = load_compare.gate(found, share)
    assert [(one["name"], one["verdict"]) for one in checks] == [
        ("Output against the last run", verdict),
        ("TTFT p50 against the last run", verdict),
    ]
    assert all(bool(one["remedy"]) == (verdict == "fail") for one in checks)


def test_a_regression_is_told_with_its_figures() -> None:
    check = load_compare.gate(compared(0.8), 0.1)[0]
    assert check["observed"].startswith(
        "32/12, 1 client: 281.2 tokens/s, 20.0 % less than 351.5 tokens/s; 32/12, 4 clients"
    )


def test_what_changed_is_named() -> None:
    assert compared(1.0, image="vllm:next")["changes"] == [f"deep gateway: image {samples.IMAGE}, now vllm:next"]
    assert compared(1.0)["changes"] == []


def test_points_that_are_gone_are_told() -> None:
    before = samples.document(None, GOOD, GOOD)
    now = samples.points(samples.wishes(), GOOD, {"problem": "hung"})
    found = load_compare.comparison(now, before["fleet"], before, METRICS, 0.1)
    assert found["missing"] == ["deep gateway: 32/12, 4 (closed loop)"]
    assert {row["point"] for row in found["rows"]} == {"32/12, 1 client"}


def test_a_point_that_failed_then_is_no_norm() -> None:
    before = samples.document(None, samples.recorded("refused"), GOOD)
    found = load_compare.comparison(samples.points(samples.wishes(), GOOD, GOOD), before["fleet"], before, METRICS, 0.1)
    assert {row["point"] for row in found["rows"]} == {"32/12, 4 clients"}


def test_two_deployments_side_by_side() -> None:
    wishes = samples.wishes(targets=[samples.target("sg gateway"), samples.target("vl gateway")], concurrency=[4])
    rows = load_compare.versus(samples.points(wishes, GOOD, samples.faster(GOOD, 1.25)))
    by_metric = {row["metric"]: row for row in rows}
    assert list(by_metric) == list(load_compare.VERSUS)
    assert by_metric["output_tokens_per_second"]["changes"] == {"vl gateway": "25.0 % more"}
    assert by_metric["ttft_p50_ms"]["changes"] == {"vl gateway": "20.0 % less"}


def test_a_failed_rival_has_no_figure_and_one_target_has_no_rival() -> None:
    wishes = samples.wishes(targets=[samples.target("sg gateway"), samples.target("vl gateway")], concurrency=[4])
    row = load_compare.versus(samples.points(wishes, GOOD, samples.recorded("refused")))[0]
    assert row["values"]["vl gateway"] is None and row["changes"] == {"vl gateway": ""}
    assert load_compare.versus(samples.points(samples.wishes(), GOOD)) == []
