# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One measurement per pair and test, whatever came back; bad pairs told by floor and median; checks that say what to do."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric_results

BOTH = ["rdma_write_bw", "rdma_write_lat"]


def pair(
    client: str = "n2", server: str = "n1", rail: int = 0, gbps: float | None = 400.0, **other: t.Any
) -> dict[str, t.Any]:
    hca = {"name": f"mlx5_{rail}", "port": "1", "link_layer": "InfiniBand", "gbps": gbps}
    ends = {"server": server, "client": client, "rail": rail, "server_hca": hca, "client_hca": hca}
    return {**ends, "problem": "", "down": [], **other}


def answer(
    peer: str,
    value: float | None = None,
    problem: str = "",
    test: str = "rdma_write_bw",
    rail: int = 0,
    **parameters: t.Any,
) -> dict[str, t.Any]:
    return {
        "peer": peer,
        "kind": test,
        "subject": f"mlx5_{rail} -> mlx5_{rail}",
        "value": value,
        "problem": problem,
        "unit": "Gb/s",
        "parameters": {"bytes": 65536, **parameters},
        "tool": "ib_write_bw 6.06",
        "samples": [value],
    }


def one(answers: dict[str, list[dict[str, t.Any]]], given: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
    found = _fabric_results.merged([given or pair()], answers, BOTH[:1])
    assert len(found) == 1
    return found[0]


def test_a_figure_is_the_clients() -> None:
    found = one({"n2": [answer("n1", 392.1)], "n1": [answer("n2")]})
    assert (found["value"], found["problem"], found["tool"]) == (392.1, "", "ib_write_bw 6.06")
    wanted = {"bytes": 65536, "rail": 0, "nodes": 2, "nic_gbps": 400.0, "link_layer": "InfiniBand"}
    assert found["parameters"] == wanted


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        # perftest is missing on one side.
        (
            {
                "n2": [answer("n1", problem="nobody listened at n1")],
                "n1": [answer("n2", problem="perftest is not installed")],
            },
            "n2: nobody listened at n1; n1: perftest is not installed",
        ),
        (
            {
                "n2": [answer("n1", problem="perftest is not installed")],
                "n1": [answer("n2", problem="n2 did not come")],
            },
            "n2: perft",
        ),
        # One of the two left the run.
        (
            {"n1": [answer("n2", problem="n2 did not come")]},
            "n2 gave no answer: it is out of reach or has left the run; n1: n2 did",
        ),
        (
            {"n2": [answer("n1", problem="nobody listened")]},
            "n2: nobody listened; n1 gave no answer: it is out of reach",
        ),
        ({}, "n2 gave no answer: it is out of reach or has left the run; n1 gave no answer"),
        # Answers to other partners, HCAs and tests are not this pair's.
        (
            {"n2": [answer("n3", 392.0), answer("n1", 1.0, rail=1), answer("n1", 1.0, test="rdma_write_lat")]},
            "n2 gave no answer",
        ),
    ],
)
def test_without_a_figure_there_is_a_reason(answers: dict[str, t.Any], problem: str) -> None:
    found = one(answers)
    assert found["value"] is None
    assert found["problem"].startswith(problem)
    assert (found["node"], found["peer"], found["subject"]) == ("n2", "n1", "mlx5_0 -> mlx5_0")


def test_a_server_that_ends_badly_after_a_figure_takes_nothing_from_it() -> None:
    assert one({"n2": [answer("n1", 392.0)], "n1": [answer("n2", problem="did not end")]})["problem"] == ""


def test_the_last_answer_of_a_pair_that_met_again_counts() -> None:
    assert one({"n2": [answer("n1", 100.0), answer("n1", 390.0)]})["value"] == 390.0


def test_a_refused_pair_keeps_its_reason() -> None:
    found = one({}, pair(problem="two fabrics"))
    assert (found["value"], found["problem"]) == (None, "two fabrics")


def test_tests_are_told_apart() -> None:
    answers = {"n2": [answer("n1", 392.0), answer("n1", 1.9, test="rdma_write_lat")]}
    found = _fabric_results.merged([pair()], answers, BOTH)
    assert [(each["kind"], each["value"]) for each in found] == [("rdma_write_bw", 392.0), ("rdma_write_lat", 1.9)]


def measured(*values: float | None, gbps: float | None = 400.0) -> list[dict[str, t.Any]]:
    pairs = [pair(f"n{number}", gbps=gbps) for number in range(2, 2 + len(values))]
    answers = {
        f"n{number}": [answer("n1", value, "" if value else "it said nothing")]
        for number, value in enumerate(values, 2)
    }
    return _fabric_results.merged(pairs, answers, BOTH[:1])


@pytest.mark.parametrize(
    ("values", "gbps", "floor", "bad"),
    [
        ((392.0, 390.0), 400.0, 0.9, ["", ""]),
        ((360.0, 361.0), 400.0, 0.9, ["", ""]),
        ((359.9, 390.0), 400.0, 0.9, ["359.9 of 400 Gb/s", ""]),
        # A rate that nobody knows, or that is not the true one (soft-RoCE says 2.5): only the median is asked.
        ((0.2, 0.21, 0.1), None, 0.9, ["", "", "0.1 Gb/s, the median is 0.2"]),
        ((0.2, 0.21, 0.1), 2.5, 0.0, ["", "", "0.1 Gb/s, the median is 0.2"]),
        (
            (392.0, None),
            400.0,
            0.9,
            ["", "n3: it said nothing; n1 gave no answer: it is out of reach or has left the run"],
        ),
        ((None,), 400.0, 0.9, ["n2: it said nothing; n1 gave no answer: it is out of reach or has left the run"]),
    ],
)
def test_what_is_bad(values: tuple[float | None, ...], gbps: float | None, floor: float, bad: list[str]) -> None:
    found = _fabric_results.outcomes(measured(*values, gbps=gbps), floor)
    assert [each["bad"] for each in found] == bad
    assert found[0]["hcas"] == {"n2": "mlx5_0", "n1": "mlx5_0"}


def test_pairs_of_another_rate_have_their_own_median() -> None:
    given = [*measured(390.0, 391.0), *measured(195.0, gbps=200.0)]
    assert [each["bad"] for each in _fabric_results.outcomes(given)] == ["", "", ""]


def test_latencies_are_no_outcome() -> None:
    found = _fabric_results.merged([pair()], {"n2": [answer("n1", 1.9, test="rdma_write_lat")]}, BOTH[1:])
    assert _fabric_results.outcomes(found) == []


def outcome(server: str, client: str, rail: int, bad: str = "") -> dict[str, t.Any]:
    hcas = {server: f"mlx5_{rail}", client: f"mlx5_{rail}"}
    return {"server": server, "client": client, "rail": rail, "hcas": hcas, "bad": bad, "seen": True}


def fleet(*bad: tuple[str, str, int]) -> list[dict[str, t.Any]]:
    names = ("n1", "n2", "n3", "n4")
    return [
        outcome(first, second, rail, "181 of 400 Gb/s" if (first, second, rail) in bad else "")
        for rail in (0, 1)
        for at, first in enumerate(names)
        for second in names[at + 1 :]
    ]


ALL = [(each["server"], each["client"], each["rail"]) for each in fleet()]


@pytest.mark.parametrize(
    ("found", "names", "verdict"),
    [
        ([], [], ""),
        (fleet(), ["fabric"], "pass"),
        (fleet(("n1", "n2", 0)), ["fabric: mlx5_0 of n1 and mlx5_0 of n2 on rail 0"], "fail"),
        (fleet(*[key for key in ALL if "n3" in key and key[2] == 1]), ["fabric: mlx5_1 of n3"], "fail"),
        (fleet(*[key for key in ALL if "n3" in key]), ["fabric: n3 on every rail"], "fail"),
        (fleet(*[key for key in ALL if key[2] == 1]), ["fabric: rail 1"], "fail"),
        (
            fleet(*[key for key in ALL if {key[0], key[1]} not in ({"n1", "n2"}, {"n3", "n4"})]),
            ["fabric: between (n1, n2) and (n3, n4) on rail 0 and rail 1"],
            "fail",
        ),
        (fleet(*ALL), ["fabric: every pair"], "fail"),
    ],
)
def test_checks(found: list[dict[str, t.Any]], names: list[str], verdict: str) -> None:
    checks = _fabric_results.checks(found)
    assert [each["name"] for each in checks] == names
    assert {each["verdict"] for each in checks} == ({verdict} if verdict else set())
    assert all(bool(each["remedy"]) == (verdict != "pass") for each in checks)


def test_the_observation_names_a_pair_and_its_figure() -> None:
    check = _fabric_results.checks(fleet(("n1", "n2", 0)))[0]
    assert check["observed"] == "1 of 12 pairs, as n2 mlx5_0 -> n1 mlx5_0: 181 of 400 Gb/s"


def test_notes_are_not_verified_and_do_not_hide_what_was_measured() -> None:
    notes = [{"node": "n5", "text": "no compute HCA was chosen"}]
    checks = _fabric_results.checks(fleet(), notes)
    assert [(each["node"], each["verdict"]) for each in checks] == [("n5", "not_verified"), ("", "pass")]
    assert _fabric_results.checks([], notes)[0]["observed"] == "no compute HCA was chosen"


def test_a_check_of_one_node_is_that_nodes() -> None:
    checks = _fabric_results.checks(fleet(*[key for key in ALL if "n3" in key]))
    assert [each["node"] for each in checks] == ["n3"]


def test_a_link_that_nobody_saw_is_not_verified() -> None:
    found = [
        {**each, "seen": "n3" not in (each["server"], each["client"])}
        for each in fleet(*[key for key in ALL if "n3" in key])
    ]
    assert [(each["name"], each["verdict"]) for each in _fabric_results.checks(found)] == [
        ("fabric: n3 on every rail", "not_verified")
    ]


@pytest.mark.parametrize(
    ("client", "server", "seen"),
    [
        (answer("n1", problem="nobody listened"), None, False),
        (answer("n1", problem="no path", link_failed=True), answer("n2"), True),
        (answer("n1", problem="nobody listened"), answer("n2", problem="INIT", link_failed=True), True),
        (answer("n1", 390.0), answer("n2", problem="ended badly", link_failed=True), True),
    ],
)
def test_what_was_seen_of_a_link(client: dict[str, t.Any], server: dict[str, t.Any] | None, seen: bool) -> None:
    found = one({"n2": [client], "n1": [server] if server else []})
    assert _fabric_results.outcomes([found])[0]["seen"] is seen
    assert ("link_failed" in found["parameters"]) == (seen and found["value"] is None)


def test_an_hca_that_was_down_fails_by_its_name() -> None:
    why = "mlx5_1 of n2: its port 1 is DOWN (Polling): look at cable"
    pairs = [pair(rail=0), pair(rail=1, gbps=None, problem=why, down=["n2"])]
    found = _fabric_results.merged(pairs, {"n2": [answer("n1", 390.0)], "n1": [answer("n2")]}, BOTH[:1])
    assert (found[1]["value"], found[1]["problem"]) == (None, why)
    (check,) = _fabric_results.checks(_fabric_results.outcomes(found))
    assert (check["node"], check["name"], check["verdict"]) == ("n2", "fabric: mlx5_1 of n2", "fail")
    assert why in check["observed"]


def test_a_port_that_went_down_meanwhile_is_named_as_well() -> None:
    said = {
        "n2": [answer("n1", problem="nobody listened")],
        "n1": [answer("n2", problem="INIT", link_failed=True, down=["n1"])],
    }
    found = _fabric_results.merged([pair()], said, BOTH[:1])
    (check,) = _fabric_results.checks(_fabric_results.outcomes(found))
    assert (check["node"], check["name"], check["verdict"]) == ("n1", "fabric: mlx5_0 of n1", "fail")
