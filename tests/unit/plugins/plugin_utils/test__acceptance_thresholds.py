# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each kind of figure against its row: good, bad, unknown, by the fleet's own baseline; and what two real H200 gave."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_thresholds as thresholds

RECORD = pathlib.Path(__file__).parents[3] / "gpu/recorded/burn_in/h200x2_quick.json"
GIB = 1 << 30
NAMES = {kind: f"NVIDIA {name}" for name, kind in thresholds.NAMES.items()}


def measured(
    kind: str, value: float | None, unit: str = "GB/s", problem: str = "", **parameters: t.Any
) -> dict[str, t.Any]:
    return {
        "node": "n1",
        "kind": kind,
        "subject": "gpu 0",
        "value": value,
        "unit": unit,
        "parameters": parameters,
        "problem": problem,
    }


def fleet(gpu: str) -> dict[str, t.Any]:
    return {"n1": {"gpu": NAMES.get(gpu, gpu), "gpus": 8}}


GEMM: dict[str, t.Any] = {"dtype": "bf16", "size": 8192, "load": "burst"}
NODE: dict[str, t.Any] = {"gpus": 8, "nodes": 1, "bytes": 8 * GIB, "algorithm": "Ring"}
NET: dict[str, t.Any] = {"gpus": 16, "nodes": 2, "bytes": 8 * GIB, "algorithm": "Ring", "nics": 4, "nic_gbps": 400}

# gpu, kind, parameters, a figure that fails, one that passes
JUDGED: list[tuple[str, str, dict[str, t.Any], float, float]] = [
    ("h20-96", "gemm", GEMM, 132, 138),
    ("h20-96", "gemm", {**GEMM, "size": 10240}, 133, 142),
    ("h100-sxm-80", "gemm", GEMM, 700, 730),
    ("h200-sxm-141", "gemm", {**GEMM, "load": "sustained"}, 600, 672),
    ("h200-sxm-141", "gemm", {**GEMM, "dtype": "fp8"}, 1200, 1450),
    ("a100-sxm-80", "gemm", GEMM, 200, 268),
    ("b200-sxm-180", "gemm", GEMM, 1500, 1740),
    ("b300-sxm-270", "gemm", GEMM, 1500, 1765),
    ("h200-sxm-141", "hbm_copy", {"bytes": 4 * GIB}, 3000, 4255),
    ("h100-sxm-80", "h2d", {"together": 1}, 26, 54),
    ("a800-sxm-80", "d2h", {"together": 1}, 12, 24),
    ("h200-sxm-141", "d2h", {"together": 1}, 27, 55),
    ("h800-sxm-80", "p2p", {}, 100, 158),
    ("h200-sxm-141", "p2p", {}, 200, 392),
    ("h100-sxm-80", "all_reduce", NODE, 300, 366),
    ("h100-sxm-80", "all_reduce", {**NODE, "algorithm": "NVLS"}, 366, 470),
    ("h200-sxm-141", "all_reduce", {**NODE, "gpus": 2}, 250, 346),
    ("a800-sxm-80", "all_reduce", NODE, 100, 158),
    ("h800-sxm-80", "all_reduce", {**NODE, "algorithm": "nvls"}, 150, 213),
    ("h20-96", "rdma_write_bw", {"nic_gbps": 400}, 340, 392),
    ("h20-96", "rdma_write_bw", {"nic_gbps": 200}, 170, 195),
    ("h20-96", "rdma_write_lat", {"nic_gbps": 400}, 9.0, 2.4),
    ("h20-96", "nccl_all_reduce", NET, 92, 189),
    ("h20-96", "nccl_all_reduce", {**NET, "nics": 8}, 200, 330),
]


@pytest.mark.parametrize(("gpu", "kind", "parameters", "bad", "good"), JUDGED)
def test_each_kind_has_a_figure_that_fails_and_one_that_passes(
    gpu: str, kind: str, parameters: dict[str, t.Any], bad: float, good: float
) -> None:
    failed = thresholds.judge(measured(kind, bad, **parameters), fleet(gpu), {})
    passed = thresholds.judge(measured(kind, good, **parameters), fleet(gpu), {})
    assert (failed["verdict"], passed["verdict"]) == ("fail", "pass"), (failed, passed)
    assert failed["remedy"] and failed["expected"] and not passed["remedy"]
    assert "20" in failed["source"], "the date is told"
    assert thresholds.limit(measured(kind, good, **parameters), fleet(gpu), {}) is not None


def test_every_kind_that_is_a_speed_is_in_the_table_above() -> None:
    assert {kind for _gpu, kind, *_rest in JUDGED} == {row.kind for row in thresholds.ROWS}


# gpu, kind, parameters, value
UNKNOWN: list[tuple[str, str, dict[str, t.Any], float]] = [
    ("h20-96", "all_reduce", NODE, 360),
    ("h20-96", "hbm_copy", {}, 3400),
    ("h20-96", "p2p", {}, 390),
    ("a800-sxm-80", "gemm", GEMM, 270),
    ("b300-sxm-270", "h2d", {"together": 1}, 60),
    # Small messages, another number of cards, another algorithm, a rate that nobody has: no row fits.
    ("h100-sxm-80", "all_reduce", {**NODE, "bytes": 1 << 20}, 20),
    ("h100-sxm-80", "all_reduce", {**NODE, "gpus": 3}, 300),
    ("h100-sxm-80", "all_reduce", {**NODE, "algorithm": ""}, 300),
    ("h100-sxm-80", "nccl_all_reduce", {**NET, "algorithm": "Tree"}, 300),
    ("h100-sxm-80", "nccl_all_reduce", {**NET, "nics": None, "nic_gbps": None}, 300),
    ("h20-96", "rdma_write_bw", {"nic_gbps": None}, 5),
    ("NVIDIA L40S", "gemm", GEMM, 300),
]


@pytest.mark.parametrize(("gpu", "kind", "parameters", "value"), UNKNOWN)
def test_what_nobody_published_is_not_verified(gpu: str, kind: str, parameters: dict[str, t.Any], value: float) -> None:
    found = thresholds.judge(measured(kind, value, **parameters), fleet(gpu), {})
    assert found["verdict"] == "not_verified"
    assert "burn_in_capture_baseline" in found["remedy"]
    assert thresholds.limit(measured(kind, value, **parameters), fleet(gpu), {}) is None


def test_what_is_grossly_too_low_fails_although_nobody_published_more() -> None:
    found = thresholds.judge(measured("hbm_copy", 1200), fleet("h20-96"), {})
    assert (found["verdict"], found["expected"]) == ("fail", "at least 1507 GB/s")


def baseline(gpu: str, kind: str, expected: float, **parameters: t.Any) -> dict[str, t.Any]:
    """Return a baseline with one row, in the form of _acceptance_baseline."""
    keys = ("gpus", "nodes", "nics", "nic_gbps", "algorithm")
    row = {
        "kind": kind,
        "gpu": gpu,
        **{key: parameters.pop(key, None) for key in keys},
        "parameters": parameters,
        "expected": expected,
        "floor_share": 0.9,
        "peak": None,
        "unit": "GB/s",
        "source": "baseline of this fleet",
        "date": "2026-11-22",
    }
    return {"rows": [row]}


@pytest.mark.parametrize(("value", "verdict"), [(362, "pass"), (300, "fail")])
def test_the_baseline_judges_where_nobody_published(value: float, verdict: str) -> None:
    own = baseline("h20-96", "all_reduce", 364, **NODE)
    found = thresholds.judge(measured("all_reduce", value, **NODE), fleet("h20-96"), own)
    assert (found["verdict"], found["source"]) == (verdict, "baseline of this fleet, 2026-11-22")


def test_a_baseline_speaks_of_its_own_conditions_only() -> None:
    own = baseline("h20-96", "all_reduce", 364, **NODE)
    others = [
        (measured("all_reduce", 300, **{**NODE, "bytes": 2 * GIB}), "h20-96"),
        (measured("all_reduce", 300, **{**NODE, "algorithm": "NVLS"}), "h20-96"),
        (measured("all_reduce", 300, **NODE), "h20-3e-141"),
        (measured("p2p", 300), "h20-96"),
    ]
    for one, gpu in others:
        assert thresholds.judge(one, fleet(gpu), own)["verdict"] == "not_verified"


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [([("", 760.0)], "pass"), ([("", 760.0), ("h20-96", 300.0)], "pass"), ([("", 300.0), ("h20-96", 900.0)], "fail")],
)
def test_between_hcas_a_baseline_without_cards_counts_too(rows: list[tuple[str, float]], verdict: str) -> None:
    pair: dict[str, t.Any] = {"nodes": 2, "nic_gbps": 800.0}
    own = {"rows": [row for gpu, figure in rows for row in baseline(gpu, "rdma_write_bw", figure, **pair)["rows"]]}
    assert thresholds.judge(measured("rdma_write_bw", 750.0, **pair), fleet("h20-96"), own)["verdict"] == verdict


def test_a_baseline_of_cards_that_nobody_knows_is_for_no_others() -> None:
    own = baseline("", "all_reduce", 364, **NODE)
    assert thresholds.judge(measured("all_reduce", 364, **NODE), fleet("h20-96"), own)["verdict"] == "not_verified"


def test_published_figures_win_over_the_baseline() -> None:
    weak = baseline("h200-sxm-141", "hbm_copy", 2000, bytes=4 * GIB)
    assert thresholds.judge(measured("hbm_copy", 1900, bytes=4 * GIB), fleet("h200-sxm-141"), weak)["verdict"] == "fail"


def test_a_baseline_below_what_is_broken_excuses_nothing() -> None:
    weak = baseline("h20-96", "hbm_copy", 1000)
    assert thresholds.judge(measured("hbm_copy", 1000), fleet("h20-96"), weak)["verdict"] == "fail"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("NVIDIA H200", "h200-sxm-141"), ("NVIDIA H20", "h20-96"), ("H20-3e", "h20-3e-141"), ("Tesla T4", ""), ("", "")],
)
def test_names_of_nvml(name: str, kind: str) -> None:
    assert thresholds.gpu_kind(name) == kind


def record() -> dict[str, t.Any]:
    return dict(json.loads(RECORD.read_text(encoding="utf-8")))


def test_four_real_h200_fail_nothing() -> None:
    """Recorded 2026-11-22; four cards at once on the way to the host, of which nobody has published a figure, share it."""
    run = json.loads(RECORD.with_name("h200x4_quick.json").read_text(encoding="utf-8"))
    doubtful = {
        (one["kind"], one["parameters"].get("together"))
        for one in run["measurements"]
        if thresholds.judge(one, run["fleet"], {})["verdict"] != "pass"
    }
    assert doubtful == {("h2d", 4), ("d2h", 4)}
    assert {thresholds.judge(one, run["fleet"], {})["verdict"] for one in run["measurements"]} == {
        "pass",
        "not_verified",
    }


def test_two_real_h200_fail_nothing() -> None:
    run = record()
    verdicts = {(one["kind"], thresholds.judge(one, run["fleet"], {})["verdict"]) for one in run["measurements"]}
    # The record is older than the reading of the margin.
    assert verdicts - {("temperature", "not_verified")} == {
        (kind, "pass") for kind in {one["kind"] for one in run["measurements"]}
    }


@pytest.mark.parametrize("kind", ["gemm", "hbm_copy", "h2d", "d2h", "p2p", "all_reduce"])
def test_half_of_what_they_reached_fails(kind: str) -> None:
    run = record()
    ours = [one for one in run["measurements"] if one["kind"] == kind]
    slow = [thresholds.judge({**one, "value": one["value"] / 2}, run["fleet"], {})["verdict"] for one in ours]
    assert slow and set(slow) == {"fail"}


@pytest.mark.parametrize(("kind", "wanted"), [("gemm", 790), ("hbm_copy", 4300), ("all_reduce", 349)])
def test_the_quick_tier_reached_what_is_known_of_the_card(kind: str, wanted: float) -> None:
    """The best figures known before: bf16 on random data, copies counted both ways, all-reduce at 8 GiB without NVLS."""
    run = record()
    best = max(
        one["value"] for one in run["measurements"] if one["kind"] == kind and one["parameters"].get("dtype") != "fp8"
    )
    assert best >= 0.97 * wanted and run["seconds"] <= 60
