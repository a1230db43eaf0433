# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_mistakes as load_mistakes
from tests.unit.plugins.plugin_utils import load_samples as samples

MIX = {"name": "m", "input": 8, "output": 8}
DOCKER = samples.NODE["docker"]


def test_good_wishes_have_no_mistake() -> None:
    wishes = samples.wishes(rates=[0.5], slo={"ttft_ms": 100}, lengths=[MIX, {"name": "c", "file": "/c.json"}])
    assert load_mistakes.mistakes(wishes, samples.NODE) == []


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"targets": []}, "there is nothing to load"),
        ({"targets": [samples.target(tokenizer="")]}, "load_test_targets[0] has no tokenizer"),
        ({"targets": [samples.target(), samples.target()]}, "the same name"),
        ({"concurrency": []}, "are empty"),
        ({"concurrency": [0]}, "load_test_concurrency: 0"),
        ({"concurrency": [1.5]}, "whole numbers"),
        ({"rates": [-1]}, "load_test_rates: -1"),
        ({"point_seconds": 0}, "load_test_point_seconds: 0"),
        ({"least_requests": 0}, "load_test_least_requests: 0"),
        ({"lengths": []}, "load_test_lengths is empty"),
        ({"lengths": [MIX, MIX]}, "two mixes have the same name"),
        ({"lengths": [{"input": 1, "output": 1}]}, "load_test_lengths[0] has no name"),
        ({"lengths": [{"name": "m", "input": 1}]}, "load_test_lengths[0].output"),
        ({"lengths": [{**MIX, "range": 1}]}, "load_test_lengths[0].range"),
        ({"lengths": [{"name": "m", "file": "chats.json"}]}, "a whole path"),
        ({"slo": {"ttft": 1}}, "ttft is none of ttft_ms, tpot_ms, e2el_ms"),
        ({"slo": {"ttft_ms": 0}}, "must be milliseconds above 0"),
        ({"slo_share": 95}, "load_test_slo_share: 95 must be from 0 to 1"),
        ({"regression_metrics": ["speed"]}, "load_test_regression_metrics: speed"),
        ({"images": []}, "no deployment runs vLLM"),
        ({"image": "other:1"}, "does not have other:1"),
    ],
)
def test_mistakes(wishes: dict[str, t.Any], said: str) -> None:
    found = load_mistakes.mistakes(samples.wishes(**wishes), samples.NODE)
    assert len(found) == 1 and said in found[0]


def test_a_host_without_docker_is_told_unless_it_has_a_program() -> None:
    node = {"docker": {**DOCKER, "reachable": False, "problem": "no socket"}}
    assert "no socket" in load_mistakes.mistakes(samples.wishes(), node)[0]
    assert load_mistakes.mistakes(samples.wishes(program="/opt/vllm/bin/vllm"), node) == []


def test_all_mistakes_are_told_at_once() -> None:
    assert len(load_mistakes.mistakes(samples.wishes(targets=[], rates=[0], images=[]), samples.NODE)) == 3
