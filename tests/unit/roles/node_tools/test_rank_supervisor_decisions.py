# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the supervisor decides: pure functions as tables."""

from __future__ import annotations

import types
import typing as t

import pytest

GIVE_UP = {"failures": 3, "window_seconds": 100, "delays_seconds": [2, 5, 30]}


@pytest.mark.parametrize(
    ("failures", "changed", "expected"),
    [
        ([1000], {}, 2.0),
        ([990, 1000], {}, 5.0),
        ([980, 990, 1000], {}, None),
        ([900, 990, 1000], {}, None),
        ([899, 990, 1000], {}, 5.0),
        ([100, 200, 300, 400, 500, 1000], {}, 2.0),
        ([970, 980, 990, 1000], {"failures": 9}, 30.0),
        ([960, 970, 980, 990, 1000], {"failures": 9}, 30.0),
        ([990, 1000], {"delays_seconds": [7]}, 7.0),
        ([1000], {"failures": 1}, None),
        ([], {}, 2.0),
    ],
)
def test_the_next_delay(
    supervisor: types.ModuleType, failures: list[float], changed: dict[str, t.Any], expected: float | None
) -> None:
    assert supervisor.next_delay(failures, 1000, {**GIVE_UP, **changed}) == expected


def node(address: str, gpus: float | None = 1, state: str = "ALIVE") -> dict[str, t.Any]:
    return {"node_ip": address, "state": state, "resources_total": None if gpus is None else {"GPU": gpus}}


@pytest.mark.parametrize(
    ("nodes", "gpus", "expected"),
    [
        ([node("a"), node("b")], 2, ""),
        ([node("a", 8), node("b", 8)], 2, ""),
        ([node("a"), node("b"), node("stranger")], 2, ""),
        ([node("a"), node("b", state="DEAD"), node("b")], 2, ""),
        ([node("a")], 2, "Ray does not count b as alive"),
        ([], 2, "Ray does not count a, b as alive"),
        ([node("a"), node("b", state="DEAD")], 1, "Ray does not count b as alive"),
        ([node("a"), node("b", None)], 2, "Ray has 1 of 2 GPUs"),
        ([node("a"), node("b", 0.5), node("stranger", 8)], 2, "Ray has 1.5 of 2 GPUs"),
        ([node("a", None), node("b", None)], 0, ""),
    ],
)
def test_what_ray_lacks(probes: types.ModuleType, nodes: list[dict[str, t.Any]], gpus: float, expected: str) -> None:
    assert probes.missing_ray_nodes(nodes, ["b", "a"], gpus) == expected


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("one\ntwo\n\nthree\nfour\n", "two | three | four"),
        ("Traceback\nOSError: [Errno 98] in use\nINFO: shutdown\nINFO: bye\n", "OSError: [Errno 98] in use"),
        ("ValueError: first\nRuntimeError: cause\nINFO: bye\n", "RuntimeError: cause"),
        (
            "(Core) torch._inductor.exc.InductorError: No compiler\n"
            "RuntimeError: Engine core failed. See root cause above.\n"
            "vllm.v1.engine.exceptions.EngineDeadError: see stack trace (above) for the root cause.\nINFO: bye\n",
            "(Core) torch._inductor.exc.InductorError: No compiler",
        ),
        ("EngineDeadError: see stack trace\nINFO: bye\n", "EngineDeadError: see stack trace"),
        (
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
            "  Value error, User-specified max_model_len (4096) is greater\n    For further information visit\n",
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig | "
            "Value error, User-specified max_model_len (4096) is greater",
        ),
        ("a.ValidationError: 2 validation errors for X\n", "a.ValidationError: 2 validation errors for X"),
    ],
)
def test_last_words_name_the_error(supervisor: t.Any, log: str, words: str) -> None:
    assert supervisor.last_words(log) == words


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("", ""),
        ("INFO 11-22 loading weights\n", ""),
        (
            "Loading safetensors checkpoint shards:   0% Completed | 0/163 [00:00<?]\n",
            "Loading safetensors checkpoint shards 0 %",
        ),
        (
            "Loading safetensors checkpoint shards:  5%\nCapturing CUDA graphs (decode, FULL):  40%|####",
            "Loading safetensors checkpoint shards 5 %",
        ),
        ("Capturing CUDA graphs (FULL):  40%|####", "Capturing CUDA graphs 40 %"),
        ("Multi-thread loading shards:  12% Completed | 20/163", "Multi-thread loading shards 12 %"),
        ("GPU KV cache usage: 3.1%", ""),
    ],
)
def test_progress_is_the_last_share_that_a_log_tells(probes: types.ModuleType, log: str, expected: str) -> None:
    assert probes.progress(log) == expected


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ("", None),
        ("# HELP x:tokens_total all\nx:tokens 3\n", None),
        ("x:tokens_total 3\n", 3),
        (
            'x:tokens_total{engine="0",model="a b"} 3.0\nx:tokens_total{engine="1"} 4 1700000000\nx:tokens_total_more 9\n',
            7,
        ),
        ("x:tokens_total nothing\n", None),
        ("x:tokens_total \n", None),
        ("x:tokens_total 0\n", 0),
    ],
)
def test_counters_are_added_up(probes: types.ModuleType, metrics: str, expected: float | None) -> None:
    assert probes.total_of(metrics, ["x:tokens_total"]) == expected
