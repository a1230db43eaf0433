# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole run on one node with processes that pretend to be cards: what is measured, and what each fault leaves."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import sys
import typing as t

import burn_in_gpu
import burn_in_run
import burn_in_tiers
import burn_in_tools
import gpu_burn_in
import pytest
from burn_in_cards import Look, NoCardsError

FAKE = pathlib.Path(__file__).parents[3] / "fakes/burn_in_card_process.py"
TOOLS = """#!/bin/sh
echo '{said}'
"""

Run = dict[str, t.Any]


def look(used_mib: float = 600, cards: int = 2) -> Look:
    return [
        {
            "index": index,
            "name": "NVIDIA H200",
            "driver": "580.159.04",
            "used_mib": used_mib,
            "temperature": 50 + index,
            "margin": 30,
            "reasons": 4,
            "watts": 690.0,
            "sm_mhz": 1500.0,
        }
        for index in range(cards)
    ]


@pytest.fixture
def burn_in(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., Run]:
    """Return a function that runs the burn-in of two pretended cards with the given faults."""
    tier = dataclasses.replace(burn_in_tiers.TIERS["quick"], load_seconds=0.01, message_bytes=(1 << 20, 1 << 30))
    monkeypatch.setitem(burn_in_tiers.TIERS, "quick", tier)
    monkeypatch.setattr(burn_in_gpu, "LEAST_LOAD", 0.01)
    monkeypatch.setattr(burn_in_tools, "has", lambda program: False)

    def run(seen: Look | None = None, *options: str, **faults: dict[str, str]) -> Run:
        monkeypatch.setattr(gpu_burn_in, "looker", lambda: (lambda: look() if seen is None else seen, "pynvml"))
        monkeypatch.setenv("BURN_IN_FAKE", json.dumps({name.strip("_"): what for name, what in faults.items()}))
        asked = gpu_burn_in.options(["--node", "n1", *options])
        return gpu_burn_in.measure(asked, lambda text: None, [sys.executable, str(FAKE)])

    return run


def of(run: Run, kind: str) -> list[dict[str, t.Any]]:
    return [one for one in run["measurements"] if one["kind"] == kind]


def test_a_sound_node(burn_in: t.Callable[..., Run]) -> None:
    run = burn_in(None, "--image", "vllm/vllm-openai:v0.26.0")
    assert (run["schema"], run["tier"], run["started"][-6:]) == (1, "quick", "+00:00")
    assert run["fleet"] == {"n1": {"gpu": "NVIDIA H200", "gpus": 2, "driver": "580.159.04"}}
    kinds = {one["kind"] for one in run["measurements"]}
    assert kinds == {
        "gemm",
        "hbm_copy",
        "h2d",
        "d2h",
        "p2p",
        "wrong_result",
        "temperature",
        "clock_throttle",
        "all_reduce",
    }
    assert all(one["value"] is not None and one["node"] == "n1" and not one["problem"] for one in run["measurements"])
    assert {one["parameters"]["dtype"] for one in of(run, "gemm")} == set(burn_in_tiers.DTYPES)
    assert [one["parameters"]["together"] for one in of(run, "h2d")] == [1, 1, 2, 2]
    assert {one["subject"] for one in of(run, "p2p")} == {"gpu 0 -> gpu 1", "gpu 1 -> gpu 0"}
    assert of(run, "gemm")[0]["tool"] == "torch of a fake in vllm/vllm-openai:v0.26.0"
    assert of(run, "temperature")[0]["tool"] == "pynvml"


def test_of_an_all_reduce_the_slowest_rank_counts(burn_in: t.Callable[..., Run]) -> None:
    (one,) = of(burn_in(), "all_reduce")
    assert (one["subject"], one["value"], one["parameters"]["bytes"]) == ("2 GPUs", 100.0, 1 << 30)
    assert one["series"] == [[1 << 20, 100.0], [1 << 30, 100.0]]


@pytest.mark.parametrize(("parts", "has", "lacks"), [("gpu", "gemm", "all_reduce"), ("node", "all_reduce", "gemm")])
def test_parts(burn_in: t.Callable[..., Run], parts: str, has: str, lacks: str) -> None:
    run = burn_in(None, "--parts", parts)
    assert of(run, has) and not of(run, lacks)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("die", "the process of gpu 1 ended with 7 in gemm"),
        ("fault", "uncorrectable ECC error"),
    ],
)
def test_a_card_that_fails_is_a_fault_and_the_other_goes_on(
    burn_in: t.Callable[..., Run], fault: str, told: str
) -> None:
    run = burn_in(_1={"gemm": fault})
    first = [one for one in of(run, "gemm") if one["subject"] == "gpu 0" and one["parameters"]["load"] == "burst"]
    second = [one for one in of(run, "gemm") if one["subject"] == "gpu 1"]
    assert all(one["value"] == 700.0 for one in first) and len(first) == len(burn_in_tiers.DTYPES)
    assert all(one["value"] is None and one["parameters"]["fault"] for one in second)
    assert told in second[0]["problem"]
    assert of(run, "all_reduce")[0]["value"] is None


def test_a_card_that_hangs_is_given_up(burn_in: t.Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burn_in_run, "BOUND", 4.0)
    run = burn_in(None, "--parts", "gpu", _1={"gemm": "hang"})
    second = [one for one in of(run, "gemm") if one["subject"] == "gpu 1"]
    assert "gemm did not end in time on gpu 1, so its process was killed" in second[0]["problem"]
    assert [one["value"] for one in of(run, "hbm_copy")] == [4000.0, None]


def test_memory_that_others_hold_is_no_fault(burn_in: t.Callable[..., Run]) -> None:
    run = burn_in(_0={"hbm_copy": "problem"})
    lost, kept = of(run, "hbm_copy")
    assert (lost["problem"], "fault" in lost["parameters"]) == ("RuntimeError: CUDA out of memory", False)
    assert kept["value"] == 4000.0 and of(run, "all_reduce")[0]["value"] == 100.0


def test_an_all_reduce_that_one_card_cannot_prepare_names_its_reason(burn_in: t.Callable[..., Run]) -> None:
    (one,) = of(burn_in(_1={"all_reduce": "problem"}), "all_reduce")
    assert (one["value"], one["problem"]) == (None, "RuntimeError: CUDA out of memory")


def test_a_card_that_cannot_be_reached(burn_in: t.Callable[..., Run]) -> None:
    run = burn_in(_0={"start": "fault"})
    (lost,) = [one for one in of(run, "gemm") if one["subject"] == "gpu 0"]
    assert lost["parameters"]["fault"] and "uncorrectable" in lost["problem"]
    # One card alone has nobody to talk to.
    assert not of(run, "p2p") and not of(run, "all_reduce")


def test_wrong_copies_and_wrong_products_name_who(
    burn_in: t.Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURN_IN_CHECKSUMS", '{"1": "dead"}')
    run = burn_in(_0={"p2p": "wrong"})
    told = {one["parameters"]["of"]: one for one in of(run, "wrong_result")}
    pairs = told["copies between cards"]
    assert (pairs["value"], pairs["parameters"]["odd"]) == (2.0, ["gpu 0 -> gpu 1", "gpu 1 -> gpu 0"])
    # Of two that differ nobody knows which one is right.
    assert told["the same product on every card"]["parameters"]["odd"] == ["gpu 0", "gpu 1"]


def test_a_pair_that_fails_ends_the_process_that_copies(burn_in: t.Callable[..., Run]) -> None:
    run = burn_in(None, "--parts", "gpu", _0={"p2p": "die"})
    first, second = of(run, "p2p")
    assert first["parameters"]["fault"] and "ended with 7" in first["problem"]
    assert second["value"] == 390.0, "the other card's process goes on"


def test_a_spent_budget_leaves_measurements_that_say_so(
    burn_in: t.Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(burn_in_run, "LEAST_SECONDS", -1.0)
    tier = dataclasses.replace(burn_in_tiers.TIERS["quick"], budget_seconds=-1.0)
    monkeypatch.setitem(burn_in_tiers.TIERS, "quick", tier)
    run = burn_in()
    assert {one["problem"] for one in [*of(run, "h2d"), *of(run, "all_reduce")]} == {
        "left out: the time of this tier was spent"
    }


def test_cards_that_others_use_are_left_alone(burn_in: t.Callable[..., Run]) -> None:
    run = burn_in(look(131072))
    (one,) = run["measurements"]
    assert one["problem"] == "something else holds memory there: gpu 0 131072 MiB, gpu 1 131072 MiB"
    assert len(of(burn_in(look(131072), "--busy"), "hbm_copy")) == 2


def test_a_node_without_cards(burn_in: t.Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = burn_in([])["measurements"]
    assert (one["subject"], one["problem"]) == ("0 GPUs", "the driver tells of no card")

    def nobody() -> t.NoReturn:
        raise NoCardsError("nvidia-smi: not there")

    monkeypatch.setattr(gpu_burn_in, "looker", nobody)
    asked = argparse.Namespace(tier="quick", node="n1", image="", busy=False, parts="gpu")
    run = gpu_burn_in.measure(asked, lambda text: None, ["false"])
    assert run["fleet"] == {"n1": {"gpus": 0, "problem": "nvidia-smi: not there"}}
    assert run["measurements"][0]["problem"] == "nvidia-smi: not there"


def tool(folder: pathlib.Path, name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / name
    path.write_text(TOOLS.format(said=said))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(burn_in_tools, "has", lambda program: program == name)


def test_tools_of_the_field_come_first(
    burn_in: t.Callable[..., Run], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = {"name": "host_to_device_memcpy_ce", "status": "Passed", "bandwidth_matrix": [["55.1", "55.2"]]}
    tool(tmp_path, "nvbandwidth", json.dumps({"nvbandwidth": {"testcases": [matrix]}}), monkeypatch)
    run = burn_in()
    assert [(one["value"], one["tool"]) for one in of(run, "h2d")][:2] == [(55.1, "nvbandwidth"), (55.2, "nvbandwidth")]
    assert not of(run, "p2p"), "what the tool does not measure is not made up"

    line = "1073741824 268435456 float sum -1 1 1 1 0 1 1 341.5 0"
    tool(tmp_path, "all_reduce_perf", line, monkeypatch)
    (one,) = of(burn_in(), "all_reduce")
    assert (one["value"], one["tool"], one["parameters"]["bytes"]) == (341.5, "all_reduce_perf", 1 << 30)


def test_a_tool_that_gives_nothing_is_replaced(
    burn_in: t.Callable[..., Run], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tmp_path, "all_reduce_perf", "Test NCCL failure", monkeypatch)
    (one,) = of(burn_in(None, "--parts", "node"), "all_reduce")
    assert (one["value"], one["tool"]) == (100.0, "torch of a fake")


def test_no_tier_exceeds_what_the_controller_allows() -> None:
    from ansible_collections.gpufleet.inference.plugins.plugin_utils import _burn_in

    assert set(_burn_in.LIMIT_SECONDS) == set(burn_in_tiers.TIERS)
    for name, tier in burn_in_tiers.TIERS.items():
        assert tier.budget_seconds + gpu_burn_in.START_SECONDS < _burn_in.LIMIT_SECONDS[name]
