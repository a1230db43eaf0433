# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The samples were recorded with the real `vllm bench serve` of 0.32.0 against a stub that streams, refuses, fails or is absent."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _load_result as load_result

SAMPLES = pathlib.Path(__file__).with_name("load_samples")


def said(name: str) -> dict[str, t.Any]:
    found: dict[str, t.Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_a_point_has_the_figures_of_the_tool() -> None:
    found, tool = load_result.result(said("closed_4")), said("closed_4")
    assert (found["completed"], found["failed"], found["problem"]) == (16, 0, "")
    assert found["output_tokens_per_second"] == pytest.approx(tool["output_throughput"], abs=1e-3)
    assert found["good_requests_per_second"] == pytest.approx(tool["request_goodput"], abs=1e-3)
    for metric in load_result.METRICS:
        for part in ("mean", *load_result.PERCENTILES):
            assert found[f"{metric}_ms"][part] == pytest.approx(tool[f"{part}_{metric}_ms"], abs=1e-3)
    assert found["least_output_tokens"] == 12
    assert len(found["samples"]["ttft_ms"]) == 16
    assert found["samples"]["ttft_ms"] == sorted(found["samples"]["ttft_ms"])


def test_no_prompt_and_no_reply_is_kept() -> None:
    assert "word" not in json.dumps(load_result.result(said("closed_4")))


def test_an_open_loop_is_read_as_well() -> None:
    found = load_result.result(said("open_5"))
    assert found["completed"] == 12
    assert 0 < found["requests_per_second"] < 5


@pytest.mark.parametrize(("name", "reason"), [("refused", "Unauthorized"), ("nobody", "Cannot connect to host")])
def test_where_all_requests_failed_there_is_no_figure(name: str, reason: str) -> None:
    assert said(name)["p99_ttft_ms"] == 0.0, "the tool itself says 0 ms, and returns 0"
    found = load_result.result(said(name))
    assert (found["completed"], found["failed"]) == (0, 4)
    assert found["output_tokens_per_second"] is None
    assert [found[f"{metric}_ms"] for metric in load_result.METRICS] == [None] * 4
    assert reason in found["errors"][0]["text"] and found["errors"][0]["count"] == 4


def test_failed_requests_are_counted_and_leave_no_samples() -> None:
    found = load_result.result(said("some"))
    assert (found["completed"], found["failed"]) == (3, 7)
    assert found["errors"] == [{"text": "Service Unavailable", "count": 7}]
    assert len(found["samples"]["e2el_ms"]) == 3 and min(found["samples"]["ttft_ms"]) > 0


def test_a_failure_without_a_reason_is_no_success() -> None:
    raw = said("some")
    raw["errors"] = ["" for _one in raw["errors"]]
    assert load_result.result(raw)["errors"] == [{"text": "without a reason", "count": 7}]


def test_figures_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="9 requests completed, but 16"):
        load_result.result({**said("closed_4"), "completed": 9})


def test_single_tokens_have_no_time_per_token() -> None:
    raw = said("closed_4") | {f"{part}_tpot_ms": 0.0 for part in ("mean", *load_result.PERCENTILES)}
    assert load_result.result(raw)["tpot_ms"] is None


def test_many_samples_are_thinned_evenly() -> None:
    found = load_result.samples(range(10_000))
    assert len(found) == load_result.MOST_SAMPLES
    assert (found[0], found[-1]) == (0, 9999)
    assert found[len(found) // 2] == pytest.approx(5000, abs=30)
