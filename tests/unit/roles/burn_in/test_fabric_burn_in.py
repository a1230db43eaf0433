# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of one node of an all-reduce over several, with processes that stand in for the cards'."""

from __future__ import annotations

import json
import pathlib
import socket
import subprocess
import sys
import textwrap
import typing as t

import fabric_burn_in
import pytest
from burn_in_cards import NoCardsError

CARD = {"index": 0, "name": "NVIDIA H200", "driver": "580.1", "used_mib": 10.0}

#: What burn_in_worker.py answers, and what NCCL would log.
STAND_IN = """
    import json, os, sys
    def say(value): print(json.dumps(value), flush=True)
    mode = sys.argv[1]
    if mode == "broken":
        say({"problem": "CUDA error: no device", "fault": True})
        sys.exit(1)
    say({"hello": "torch 2.11.0"})
    wish = json.loads(sys.stdin.readline())["with"]
    if mode == "sick":
        say({"problem": "NCCL error: unhandled system error", "fault": True})
        sys.exit(0)
    if mode == "alone":
        say({"problem": "another card did not come", "fault": False})
        sys.exit(0)
    say({"ready": True})
    json.loads(sys.stdin.readline())
    with open(os.environ["NCCL_DEBUG_FILE"].replace("%h", "h").replace("%p", "1"), "w") as log:
        log.write("h:1:2 [0] NCCL INFO NET/IB : No device found.\\nnoise\\n")
    series = [[size, [0.1 + wish["rank"], 0.2]] for size in wish["sizes"]]
    one = {"kind": "all_reduce", "subject": "gpu 0", "value": None, "series": series, "parameters": {}}
    say({"measurements": [one, {"kind": "wrong_result", "subject": "gpu 0", "value": 0, "parameters": {}}]})
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def worker(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "stand_in.py"
    path.write_text(textwrap.dedent(STAND_IN))
    return str(path)


def measure(
    worker: str, monkeypatch: pytest.MonkeyPatch, mode: str = "good", cards: t.Any = (CARD,), *more: str
) -> dict[str, t.Any]:
    def looker() -> t.Any:
        if isinstance(cards, str):
            raise NoCardsError(cards)
        return lambda: list(cards), "stand-in"

    monkeypatch.setattr(fabric_burn_in, "looker", looker)
    words = ["--node", "n1", "--nodes", "n1", "--gpus", "1", "--address", "127.0.0.1", "--port", str(free_port())]
    asked = fabric_burn_in.options([*words, "--bytes", "8,16", "--seconds", "60", *more])
    return fabric_burn_in.measure(asked, lambda text: None, [sys.executable, worker, mode])


def test_a_node_alone(worker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = measure(worker, monkeypatch)
    assert found["series"] == [[8, [0.1, 0.2]], [16, [0.1, 0.2]]]
    assert (found["wrong"], found["problem"], found["tool"]) == (0, "", "torch 2.11.0")
    assert found["log"] == "h:1:2 [0] NCCL INFO NET/IB : No device found."
    assert found["known"] == {"gpu": "NVIDIA H200", "gpus": 1, "driver": "580.1"}


@pytest.mark.parametrize(
    ("mode", "cards", "more", "problem"),
    [
        ("good", "nvidia-smi: not found", (), "nvidia-smi: not found"),
        ("good", (), (), "n1 has 0 cards, the plan says 1"),
        ("good", (CARD, {**CARD, "index": 1}), (), "n1 has 2 cards, the plan says 1"),
        ("good", ({**CARD, "used_mib": 90000.0},), (), "something else holds memory there: gpu 0 90000 MiB"),
        ("broken", (CARD,), (), "gpu 0: CUDA error: no device"),
        ("alone", (CARD,), (), "another card did not come"),
        # A node that does not come: the rest of the bound, 20 s, belongs to the cards.
        ("good", (CARD,), ("--nodes", "n1,n2", "--gpus", "1,1", "--seconds", "21"), "n2 did not come in time"),
    ],
)
def test_what_is_wrong_is_said(
    worker: str, monkeypatch: pytest.MonkeyPatch, mode: str, cards: t.Any, more: tuple[str, ...], problem: str
) -> None:
    found = measure(worker, monkeypatch, mode, cards, *more)
    assert (found["series"], found["problem"]) == ([], problem)


@pytest.mark.parametrize(("mode", "fault"), [("good", False), ("alone", False), ("sick", True), ("broken", True)])
def test_a_fault_is_more_than_a_lack(worker: str, monkeypatch: pytest.MonkeyPatch, mode: str, fault: bool) -> None:
    assert measure(worker, monkeypatch, mode)["fault"] is fault


def test_a_busy_card_can_be_measured(worker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = measure(worker, monkeypatch, "good", ({**CARD, "used_mib": 90000.0},), "--busy")
    assert found["problem"] == ""


def test_ranks_are_dealt_in_the_order_of_the_nodes() -> None:
    words = ["--node", "n2", "--nodes", "n1,n2,n3", "--gpus", "8,4,8", "--address", "10.0.0.1", "--bytes", "8"]
    asked = fabric_burn_in.options(words)
    workers: list[t.Any] = ["first", "second"]
    found = fabric_burn_in.requests(asked, workers, ["n1", "n2", "n3"], [8, 4, 8])
    assert [one["with"]["rank"] for one in found.values()] == [8, 9]
    assert found[workers[0]]["with"] == {
        "rank": 8,
        "ranks": 20,
        "address": "10.0.0.1:29511",
        "sizes": [8],
        "samples": 5,
    }


def test_of_a_sample_the_slowest_card_counts() -> None:
    replies = [{"measurements": [{"series": one}]} for one in ([[8, [1.0, 5.0]], [16, [1.0]]], [[8, [3.0, 2.0]]])]
    assert fabric_burn_in.slowest(replies) == [[8, [3.0, 5.0]]]


def test_the_program_prints_one_measurement_whatever_happens() -> None:
    words = ["--node", "n1", "--nodes", "n1,n2", "--gpus", "8,8", "--address", "10.0.0.1", "--seconds", "1"]
    done = subprocess.run(
        [sys.executable, fabric_burn_in.__file__, *words], capture_output=True, text=True, timeout=60, check=True
    )
    said = json.loads(done.stdout)
    assert said["fleet"] == {"n1": {"gpus": 0}}
    one = said["measurements"][0]
    assert (one["kind"], one["node"], one["value"]) == ("nccl_all_reduce", "n1", None)
    # There is no card on the machine that runs these tests.
    assert one["problem"]
