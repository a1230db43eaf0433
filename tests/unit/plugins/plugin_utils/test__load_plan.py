# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_plan as load_plan
from tests.unit.plugins.plugin_utils import load_samples as samples


def plan(**wishes: t.Any) -> list[dict[str, t.Any]]:
    return load_plan.points(samples.wishes(**wishes), samples.NODE)


def option(point: dict[str, t.Any], name: str) -> str:
    return str(point["argv"][point["argv"].index(name) + 1])


def test_a_closed_loop_sends_so_much_per_client_and_never_less_than_the_least() -> None:
    found = plan(concurrency=[1, 4])
    assert [(option(one, "--max-concurrency"), option(one, "--num-prompts")) for one in found] == [
        ("1", "16"),
        ("4", "32"),
    ]
    assert {option(one, "--request-rate") for one in found} == {"inf"}


def test_an_open_loop_has_a_rate_and_no_limit_of_clients() -> None:
    (found,) = plan(concurrency=[], rates=[0.5], burstiness=2)
    assert (option(found, "--request-rate"), option(found, "--burstiness"), option(found, "--num-prompts")) == (
        "0.5",
        "2",
        "30",
    )
    assert "--max-concurrency" not in found["argv"]
    assert found["label"] == "deep gateway, 32/12, 0.5 requests/s"


def test_the_targets_of_one_load_come_one_after_another() -> None:
    both = [samples.target("a gateway"), samples.target("b gateway")]
    found = plan(targets=both, concurrency=[1, 2])
    assert [(one["target"], one["load"]) for one in found] == [
        *(("a gateway", 1), ("b gateway", 1), ("a gateway", 2), ("b gateway", 2))
    ]


def test_an_engine_never_gets_the_same_prompts_twice_and_rivals_get_equal_ones() -> None:
    three = [samples.target("a gateway"), samples.target("a engine"), samples.target("b gateway")]
    found = plan(targets=three, concurrency=[1, 2, 4])
    mine = [one["seed"] for one in found if one["target"].startswith("a ")]
    assert len(set(mine)) == len(mine) == 6
    assert [one["seed"] for one in found if one["target"] == "b gateway"] == [
        one["seed"] for one in found if one["target"] == "a gateway"
    ]


def test_another_run_has_other_prompts_unless_a_seed_is_given() -> None:
    times = ["2026-11-22T10:00:00+00:00", "2026-11-22T10:05:00+00:00"]
    assert not {one["seed"] for one in plan(started=times[0])} & {one["seed"] for one in plan(started=times[1])}
    assert plan(started=times[0], seed=7) == plan(started=times[1], seed=7)


def test_the_key_is_in_a_file_only() -> None:
    (point, *_others) = plan()
    words = point["argv"]
    assert option(point, "--key-file") == "/gpufleet-load-test/keys/0.key"
    assert option(point, "--ca-file") == "/gpufleet-load-test/keys/0.crt"
    assert not [one for one in words if "OPENAI_API_KEY" in one or "--header" in one or "/secrets/" in one]


def test_an_engine_is_asked_without_key_and_ca() -> None:
    (point, *_others) = plan(targets=[samples.target("deep engine")])
    assert "--key-file" not in point["argv"] and "--ca-file" not in point["argv"]
    assert option(point, "--base-url") == "http://127.0.0.1:8000"


def test_the_container_gets_no_gpu_no_capability_and_only_what_it_reads() -> None:
    (point, *_others) = plan(lengths=[{"name": "chats", "file": "/srv/chats.json"}])
    words = point["argv"]
    assert words[:5] == ["docker", "run", "--rm", "--pull", "never"]
    assert option(point, "--cap-drop") == "ALL"
    assert "--gpus" not in words and "--privileged" not in words
    mounts = [words[place + 1] for place, one in enumerate(words) if one == "--volume"]
    assert mounts == [
        "/var/lib/gpufleet/load_test:/gpufleet-load-test:ro",
        "/var/lib/gpufleet/load_test/results:/gpufleet-load-test/results",
        "/models/deepseek-v3:/models/deepseek-v3:ro",
        "/srv/chats.json:/srv/chats.json:ro",
    ]
    assert words.index(samples.IMAGE) < words.index("/gpufleet-load-test/load_test_run.py") < words.index("--")


def test_a_node_that_may_not_raise_limits_is_not_asked_to() -> None:
    node = {"docker": {**samples.NODE["docker"], "can_raise_limits": False}}
    assert "--ulimit" in plan()[0]["argv"]
    assert "--ulimit" not in load_plan.points(samples.wishes(), node)[0]["argv"]


def test_a_program_of_the_host_needs_no_container() -> None:
    (point, *_others) = plan(program="/opt/vllm/bin/vllm")
    assert point["argv"][:2] == ["python3", "/var/lib/gpufleet/load_test/load_test_run.py"]
    assert "/opt/vllm/bin/vllm" in point["argv"] and "docker" not in point["argv"]
    assert point["container"] == ""
    assert point["path"] == "/var/lib/gpufleet/load_test/results/point.json"


@pytest.mark.parametrize(
    ("mix", "words", "asked"),
    [
        ({"name": "m", "input": 32, "output": 12}, ["--random-range-ratio", "0"], 12),
        ({"name": "m", "input": 32, "output": 12, "range": 0.5}, ["--random-range-ratio", "0.5"], None),
        ({"name": "m", "file": "/c.json"}, ["--dataset-name", "sharegpt"], None),
        ({"name": "m", "file": "/c.json", "output": 64}, ["--sharegpt-output-len", "64"], None),
    ],
)
def test_mixes(mix: dict[str, t.Any], words: list[str], asked: int | None) -> None:
    (point,) = plan(lengths=[mix], concurrency=[1])
    assert option(point, words[0]) == words[1]
    assert point["asked_output_tokens"] == asked


def test_the_slo_reaches_the_tool_under_its_names() -> None:
    (point,) = plan(slo={"tpot_ms": 50, "ttft_ms": 2000.5}, concurrency=[1])
    place = point["argv"].index("--goodput")
    assert point["argv"][place + 1 : place + 4] == ["tpot:50", "ttft:2000.5", "--disable-tqdm"]
    assert "--goodput" not in plan()[0]["argv"]


def test_a_sweep_is_the_same_whatever_is_asked_for_beside_the_loads() -> None:
    assert load_plan.sweep(samples.wishes()) == load_plan.sweep(
        samples.wishes(slo={"ttft_ms": 1}, started="2027-01-01")
    )
    assert load_plan.sweep(samples.wishes()) != load_plan.sweep(samples.wishes(concurrency=[2]))
