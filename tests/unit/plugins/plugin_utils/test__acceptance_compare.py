# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_compare as compare
from tests.unit.plugins.plugin_utils import acceptance_samples as samples

FLEET: dict[str, t.Any] = {"n1": {"gpu": "NVIDIA H20"}, "n2": {"gpu": "NVIDIA H20"}, "n3": {"gpu": "NVIDIA H200"}}


def gemm(node: str, gpu: int, value: float | None, dtype: str = "bf16") -> dict[str, t.Any]:
    return samples.measurement(node, "gemm", f"gpu {gpu}", value, "TFLOP/s", parameters={"dtype": dtype, "size": 8192})


def of(kind: str, *values: float) -> list[dict[str, t.Any]]:
    return [
        samples.measurement("n1", kind, f"gpu {place}", value, "degC" if kind == "temperature" else "GB/s")
        for place, value in enumerate(values)
    ]


def test_only_like_is_compared_with_like() -> None:
    many = [
        gemm("n1", 0, 140.0),
        gemm("n2", 0, 142.0),
        gemm("n3", 0, 790.0),
        gemm("n1", 1, 280.0, "fp8"),
        gemm("n1", 2, None),
    ]
    found = [(row["gpu"], row["label"], row["count"], row["median"]) for row in compare.groups(many, FLEET)]
    assert found == [
        ("NVIDIA H20", "GEMM bf16 8192", 2, 141.0),
        ("NVIDIA H200", "GEMM bf16 8192", 1, 790.0),
        ("NVIDIA H20", "GEMM fp8 8192", 1, 280.0),
    ]


@pytest.mark.parametrize(
    ("kind", "values", "verdict", "said"),
    [
        ("gemm", (140, 141, 142), "pass", "3 values, 140 to 142 GB/s, median 141 GB/s"),
        ("gemm", (133, 140, 141), "warn", "gpu 0: 133 GB/s, 5.0 % less"),
        ("gemm", (126, 140, 141), "fail", "gpu 0: 126 GB/s, 10.0 % less"),
        ("hbm_copy", (3880, 4000, 4000), "warn", "3.0 % less"),
        ("hbm_copy", (3800, 4000, 4000), "fail", "5.0 % less"),
        ("hbm_copy", (4000, 4000, 9000), "pass", "3 values"),
        ("rdma_write_lat", (2.0, 2.0, 2.5), "warn", "25.0 % more"),
        ("rdma_write_lat", (2.0, 2.0, 20.0), "warn", "900.0 % more"),
        ("temperature", (60, 61, 75), "pass", "3 values"),
        ("temperature", (60, 61, 76), "warn", "15 °C more"),
    ],
)
def test_who_falls_behind_the_median(kind: str, values: tuple[float, ...], verdict: str, said: str) -> None:
    checks = compare.outliers(compare.groups(of(kind, *values), FLEET))
    assert [one["verdict"] for one in checks] == [verdict]
    assert said in checks[0]["observed"]
    assert bool(checks[0]["remedy"]) == (verdict != "pass")
    assert checks[0]["node"] == ("" if verdict == "pass" else "n1")


@pytest.mark.parametrize(("together", "verdict"), [(1, "fail"), (8, "warn")])
def test_cards_that_copy_at_once_share_their_switches(together: int, verdict: str) -> None:
    many = [{**one, "parameters": {"together": together}} for one in of("h2d", 24, 27, 27)]
    assert [one["verdict"] for one in compare.outliers(compare.groups(many, FLEET))] == [verdict]


def test_two_values_cannot_tell_which_is_odd() -> None:
    assert compare.outliers(compare.groups(of("gemm", 70, 140), FLEET)) == []


def test_what_is_no_speed_is_not_compared() -> None:
    assert compare.groups(of("clock_throttle", 0, 0, 1), FLEET) == []


def test_each_node_that_falls_behind_is_named_and_many_places_are_counted() -> None:
    many = [gemm("n1", gpu, 100.0) for gpu in range(8)] + [gemm("n2", gpu, 140.0) for gpu in range(9)]
    found = compare.outliers(compare.groups(many, FLEET))
    assert [(one["node"], one["verdict"]) for one in found] == [("n1", "fail")]
    assert "and 2 more" in found[0]["observed"] and "n1" in found[0]["remedy"]


def compared(now: list[dict[str, t.Any]], then: list[dict[str, t.Any]], **fleet: t.Any) -> dict[str, t.Any]:
    return compare.comparison(now, {"started": "2026-11-20", "measurements": then, "fleet": FLEET}, {**FLEET, **fleet})


@pytest.mark.parametrize(
    ("now", "then", "text", "verdict"),
    [
        (140.0, 140.0, "unchanged", "pass"),
        (137.0, 140.0, "2.1 % less", "pass"),
        (133.0, 140.0, "5.0 % less", "warn"),
        (70.0, 140.0, "50.0 % less", "warn"),
        (150.0, 140.0, "7.1 % more", "pass"),
    ],
)
def test_a_regression_is_a_warning_with_its_share(now: float, then: float, text: str, verdict: str) -> None:
    found = compared([gemm("n1", 0, now)], [gemm("n1", 0, then)])
    assert [(row["text"], row["verdict"]) for row in found["rows"]] == [(text, verdict)]
    assert [(one["node"], one["verdict"]) for one in found["checks"]] == ([("n1", "warn")] if verdict == "warn" else [])
    assert found["with"] == "2026-11-20"


def test_one_card_that_became_slow_shows_though_the_median_stands() -> None:
    then = [gemm("n1", gpu, 140.0) for gpu in range(8)]
    now = [gemm("n1", gpu, 110.0 if gpu == 5 else 140.0) for gpu in range(8)]
    row = compared(now, then)["rows"][0]
    assert (row["text"], row["verdict"]) == ("unchanged", "warn")
    assert [(one["place"], one["before"], one["now"]) for one in row["places"]] == [("n1: gpu 5", 140.0, 110.0)]
    assert "gpu 5: 110 TFLOP/s, 21.4 % less than the 140 of then" in compared(now, then)["checks"][0]["observed"]


def test_other_parameters_are_another_figure() -> None:
    found = compared([gemm("n1", 0, 100.0, "fp8")], [gemm("n1", 0, 140.0)])
    assert found["rows"] == []
    assert found["missing"] == ["n1: gpu 0: GEMM bf16 8192"]


def test_what_lost_its_value_is_missing() -> None:
    assert compared([gemm("n1", 0, None)], [gemm("n1", 0, 140.0)])["missing"] == ["n1: gpu 0: GEMM bf16 8192"]


def test_what_changed_about_a_node_is_told() -> None:
    found = compared([], [], n1={"gpu": "NVIDIA H20", "driver": "580.159.04"})
    assert found["changes"] == ["n1: driver not known, now 580.159.04"]
