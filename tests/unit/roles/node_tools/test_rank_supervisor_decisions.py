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
def test_what_ray_lacks(
    supervisor: types.ModuleType, nodes: list[dict[str, t.Any]], gpus: float, expected: str
) -> None:
    assert supervisor.missing_ray_nodes(nodes, ["b", "a"], gpus) == expected


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
    ],
)
def test_last_words_name_the_error(supervisor: t.Any, log: str, words: str) -> None:
    assert supervisor.last_words(log) == words
