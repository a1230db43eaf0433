# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_baseline as baseline
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_thresholds as thresholds
from tests.unit.plugins.plugin_utils import acceptance_samples as samples


def capture(run: dict[str, t.Any], **other: t.Any) -> dict[str, t.Any]:
    return baseline.capture(samples.document(run), thresholds.gpu_kind, **other)


def of_kind(stored: dict[str, t.Any], kind: str) -> list[dict[str, t.Any]]:
    return [row for row in stored["rows"] if row["kind"] == kind]


def test_rows_hold_the_medians_under_their_conditions() -> None:
    stored = capture(samples.healthy())
    (row,) = of_kind(stored, "hbm_copy")
    figures = sorted(one["value"] for one in samples.healthy()["measurements"] if one["kind"] == "hbm_copy")
    assert row["expected"] == pytest.approx((figures[7] + figures[8]) / 2)
    assert (row["gpu"], row["unit"], row["parameters"], row["count"]) == ("h20-96", "GB/s", {"bytes": 4 << 30}, 16)
    assert (row["source"], row["date"]) == ("baseline of this fleet", "2026-11-22")
    ring = next(row for row in of_kind(stored, "nccl_all_reduce") if row["algorithm"] == "Ring")
    assert [ring[key] for key in ("gpus", "nodes", "nics", "nic_gbps")] == [16, 2, 4, 400]


def test_temperatures_and_findings_are_no_baseline() -> None:
    kinds = {row["kind"] for row in capture(samples.healthy())["rows"]}
    assert "gemm" in kinds and not kinds & {"temperature", "wrong_result", "clock_throttle", "nccl_transport"}


def test_failures_are_refused_unless_forced() -> None:
    with pytest.raises(baseline.Refused, match=r"failed checks \(gpu-a01: .*burn_in_force_baseline"):
        capture(samples.bad())
    forced = capture(samples.bad(), force=True)
    assert forced["forced"] is True and forced["rows"]
    assert capture(samples.healthy())["forced"] is False


def test_a_run_without_a_speed_is_refused() -> None:
    run = samples.healthy(("n1",))
    run["measurements"] = [one for one in run["measurements"] if one["kind"] == "wrong_result"]
    with pytest.raises(baseline.Refused, match="measured no speed"):
        capture(run)


def test_cards_of_two_models_make_no_row_together() -> None:
    run = samples.healthy(("n1", "n2"))
    run["fleet"]["n2"]["gpu"] = "NVIDIA H200"
    stored = capture(run)
    assert of_kind(stored, "rdma_write_bw") == []
    assert sorted(row["gpu"] for row in of_kind(stored, "hbm_copy")) == ["h20-96", "h200-sxm-141"]


def test_what_this_run_did_not_measure_is_kept() -> None:
    first = capture(samples.healthy())
    run = samples.healthy(started="2026-12-01T00:00:00Z")
    run["measurements"] = [one for one in run["measurements"] if one["kind"] == "gemm"]
    second = capture(run, stored=first)
    assert len(second["rows"]) == len(first["rows"])
    assert {row["date"] for row in of_kind(second, "gemm")} == {"2026-12-01"}
    assert {row["date"] for row in of_kind(second, "p2p")} == {"2026-11-22"}
    assert second["captured"] == "2026-12-01T00:00:00Z"


def test_the_judge_uses_what_was_captured() -> None:
    run = samples.healthy()
    stored = json.loads(baseline.to_json(capture(run)))
    one = next(one for one in run["measurements"] if one["parameters"].get("dtype") == "fp8")
    assert thresholds.judge(one, run["fleet"], {})["verdict"] == "not_verified"
    assert thresholds.judge(one, run["fleet"], stored)["verdict"] == "pass"
    slow = one | {"value": one["value"] * 0.8}
    check = thresholds.judge(slow, run["fleet"], stored)
    assert (check["verdict"], check["source"]) == ("fail", "baseline of this fleet, 2026-11-22")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "holds no rows"),
        ({"rows": 3}, "holds no rows"),
        ({"rows": [], "schema": 9}, "schema 9"),
        ({"rows": [], "schema": 1}, ""),
    ],
)
def test_what_is_no_baseline(content: t.Any, said: str) -> None:
    assert said in baseline.problem(content)
    assert bool(said) == bool(baseline.problem(content))
