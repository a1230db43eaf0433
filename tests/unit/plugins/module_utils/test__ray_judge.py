# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ray's members, its token and its ports: every verdict."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._ray_judge import (
    judge_authentication,
    judge_closed,
    judge_nodes,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS


def node(address: str | None, gpus: float | None = 1.0, state: str = "ALIVE") -> dict[str, t.Any]:
    resources = {"CPU": 2.0} if gpus is None else {"CPU": 2.0, "GPU": gpus}
    return {"node_ip": address, "state": state, "resources_total": resources}


A, B = "10.0.0.1", "10.0.0.2"

NODES: list[tuple[str, list[dict[str, t.Any]], float | None, list[str], list[t.Any]]] = [
    ("all", [node(A), node(B)], 2.0, [PASS, PASS, PASS], ["2 alive", "none", 2.0]),
    ("GPUs do not matter", [node(A), node(B)], None, [PASS, PASS], ["2 alive", "none"]),
    ("one dead", [node(A), node(B, state="DEAD")], 2.0, [FAIL, PASS, FAIL], [f"1 alive, missing {B}", "none", 1.0]),
    ("back from the dead", [node(B, state="DEAD"), node(A), node(B)], 2.0, [PASS] * 3, ["2 alive", "none", 2.0]),
    ("none", [], 2.0, [FAIL, PASS, FAIL], [f"0 alive, missing {A}, {B}", "none", 0]),
    ("a stranger", [node(A), node(B), node("10.6.6.6", 0)], 2.0, [PASS, FAIL, PASS], ["3 alive", "10.6.6.6", 2.0]),
    ("a stranger without a name", [node(A), node(B), node(None)], None, [PASS, FAIL], ["3 alive", "None"]),
    ("too few GPUs", [node(A), node(B, None)], 2.0, [PASS, PASS, FAIL], ["2 alive", "none", 1.0]),
    ("too many GPUs", [node(A), node(B, 7)], 2.0, [PASS, PASS, FAIL], ["2 alive", "none", 8.0]),
    ("no resources", [node(A), {"node_ip": B, "state": "ALIVE", "resources_total": None}], 1, [PASS] * 3, []),
]


@pytest.mark.parametrize(
    ("nodes", "gpus", "verdicts", "observed"), [case[1:] for case in NODES], ids=[case[0] for case in NODES]
)
def test_members(nodes: list[dict[str, t.Any]], gpus: float | None, verdicts: list[str], observed: list[t.Any]) -> None:
    checks = judge_nodes(nodes, "", [A, B], gpus)
    assert [one["verdict"] for one in checks] == verdicts
    assert [one["observed"] for one in checks] == observed or not observed
    assert all(one["remedy"] for one in checks if one["verdict"] == FAIL)


def test_members_that_could_not_be_asked() -> None:
    [one] = judge_nodes(None, "http://127.0.0.1:8265: refused", [A], 1.0)
    assert (one["verdict"], one["observed"]) == (NOT_VERIFIED, "http://127.0.0.1:8265: refused")
    assert one["remedy"]


@pytest.mark.parametrize(
    ("without", "wrong", "verdict"),
    [
        (401, 403, PASS),
        (401, 401, PASS),
        (200, 200, FAIL),
        (401, 200, FAIL),
        (200, 403, FAIL),
        (403, 403, FAIL),
        (404, 404, FAIL),
        (None, 403, NOT_VERIFIED),
        (401, None, NOT_VERIFIED),
    ],
)
def test_authentication(without: int | None, wrong: int | None, verdict: str) -> None:
    one = judge_authentication(without, wrong, "timeout")
    assert one["verdict"] == verdict
    seen = "timeout" if verdict == NOT_VERIFIED else f"{without} without a token, {wrong} with a wrong one"
    assert one["observed"] == seen
    assert bool(one["remedy"]) is (verdict == FAIL)


@pytest.mark.parametrize(
    ("outcome", "from_member", "verdict"),
    [
        ("refused", False, PASS),
        ("timeout", False, PASS),
        ("unreachable", False, PASS),
        ("accepted", False, FAIL),
        ("accepted", True, NOT_VERIFIED),
        ("refused", True, NOT_VERIFIED),
    ],
)
def test_closed_ports(outcome: str, from_member: bool, verdict: str) -> None:
    one = judge_closed("Ray gcs", f"{A}:6379", outcome, from_member)
    assert (one["name"], one["verdict"]) == ("closed to outsiders: Ray gcs", verdict)
    assert f"{A}:6379" in one["source"]
    assert (outcome in one["observed"]) is not from_member
    assert bool(one["remedy"]) is (verdict == FAIL)
