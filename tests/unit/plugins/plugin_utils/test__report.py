# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _verdict
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _report
from tests.unit.plugins.plugin_utils.report_samples import ENDPOINT, PLACE, did, report, seen


def test_the_verdicts_are_those_of_the_modules() -> None:
    assert _report.VERDICTS == _verdict.VERDICTS


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([], "not_verified"),
        ([did("changed")], "not_verified"),
        ([seen("pass")], "pass"),
        ([seen("pass"), seen("warn", "lab2")], "warn"),
        ([seen("warn"), seen("not_verified", "lab2")], "not_verified"),
        ([seen("not_verified"), seen("fail", "lab2")], "fail"),
        ([seen("splendid")], "not_verified"),
        ([seen("pass"), did("failed", msg="no")], "fail"),
        ([seen("pass"), did("unreachable", msg="no")], "fail"),
        ([seen("pass"), did("rescued", msg="no")], "pass"),
        ([seen("pass"), did("ignored", msg="no")], "pass"),
        ([seen("fail", status="ignored")], "fail"),
    ],
)
def test_the_worst_wins_and_a_failed_task_is_a_fail(outcomes: list[_report.Outcome], verdict: str) -> None:
    assert report(*outcomes).verdict == verdict


@pytest.mark.parametrize(
    ("outcomes", "verdicts"),
    [
        ([seen("fail", play=1), seen("pass", play=2)], ["pass"]),
        ([seen("pass", play=1), seen("fail", play=2)], ["fail"]),
        ([seen("fail"), seen("pass")], ["fail", "pass"]),
        ([seen("pass"), seen("pass")], ["pass"]),
        ([seen("fail", status="rescued"), seen("pass")], ["pass"]),
        ([seen("fail", status="rescued")], ["fail"]),
        ([seen("fail"), seen("pass", "lab2", play=2)], ["fail", "pass"]),
        ([seen("fail"), seen("pass", name="swap", play=2)], ["fail", "pass"]),
    ],
)
def test_the_last_look_counts_but_none_hides_another(outcomes: list[_report.Outcome], verdicts: list[str]) -> None:
    assert [check["verdict"] for check in report(*outcomes).checks] == verdicts


def test_the_order_does_not_hang_on_which_node_was_faster() -> None:
    found = report(
        seen("pass", "lab2"), seen("pass", "lab2", name="swap"), seen("pass"), seen("pass", name="swap")
    ).checks
    assert [(check["name"], check["host"]) for check in found] == [
        ("memlock", "lab1"),
        ("memlock", "lab2"),
        ("swap", "lab1"),
        ("swap", "lab2"),
    ]


def test_two_checks_of_one_name_in_one_proof_are_both_kept() -> None:
    row = {"name": "disk", "expected": None, "remedy": "", "source": ""}
    result = {
        "verdict": "fail",
        "checks": [row | {"verdict": "fail", "observed": 1}, row | {"verdict": "pass", "observed": 2}],
    }
    found = report(_report.outcome("lab1", 1, PLACE, "host_health", "ok", result)).checks
    assert [check["observed"] for check in found] == [1, 2]


def test_the_report_tells_what_was_done_where() -> None:
    facts = {"distribution": "Debian", "distribution_version": "12.9"}
    made = report(did("changed"), did("ok", node=facts), did("failed", "lab2", msg="port 8443 is taken"))
    one, two = made.nodes
    assert one["changed"] == [{"role": "gateway", "stage": "run", "task": "Start it"}]
    assert (one["platform"], two["changed"]) == ("Debian 12.9", [])
    assert made.failures == [
        {
            "host": "lab2",
            "role": "gateway",
            "stage": "run",
            "task": "Start it",
            "message": "port 8443 is taken",
            "unreachable": False,
        }
    ]
    assert made.counts == {"pass": 0, "warn": 0, "not_verified": 0, "fail": 0, "changed": 1, "failures": 1}
    assert (made.started, made.ended, made.seconds) == ("2026-11-22T01:00:00Z", "2026-11-22T01:03:12Z", 192.0)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"msg": "no"}, "no"),
        (
            {"msg": "All items completed", "results": [{"item": "a"}, {"item": "b", "failed": True, "msg": "no"}]},
            "b: no",
        ),
        (
            {
                "msg": "long",
                "verdict": "fail",
                "checks": [{"name": "swap", "verdict": "fail"}, {"name": "x", "verdict": "pass"}],
            },
            "did not pass: swap (fail)",
        ),
    ],
)
def test_a_failure_says_why(result: dict[str, t.Any], message: str) -> None:
    assert report(did("failed", **result)).failures[0]["message"] == message


def test_json_is_stable_and_versioned() -> None:
    data = json.loads(_report.to_json(report(seen("pass"), endpoints=[ENDPOINT, ENDPOINT])))
    assert data["schema_version"] == 1
    assert sorted(data) == [
        "check_mode", "checks", "counts", "ended", "endpoints", "failures", "nodes", "plan", "playbook",
        "schema_version", "seconds", "started", "verdict",
    ]  # fmt: skip
    assert data["endpoints"] == [ENDPOINT]
    assert data["checks"] == [
        {
            "host": "lab1",
            "role": "os_tuning",
            "module": "host_health",
            "name": "memlock",
            "verdict": "pass",
            "observed": "64 KiB",
            "expected": "unlimited",
            "remedy": "raise it",
            "source": "",
        }
    ]


@pytest.mark.parametrize(
    ("outcomes", "expected"), [([], False), ([did("ok")], False), ([did("changed")], True), ([seen("pass")], True)]
)
def test_a_run_without_news_says_nothing(outcomes: list[_report.Outcome], expected: bool) -> None:
    assert report(*outcomes).says_something is expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(did("ok"), False), (did("rescued"), False), (did("changed"), True), (did("failed"), True), (seen("pass"), True)],
)
def test_only_what_the_report_needs_is_kept(outcome: _report.Outcome, expected: bool) -> None:
    assert outcome.worth_keeping is expected
