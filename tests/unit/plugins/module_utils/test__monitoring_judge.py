# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _http, _monitoring_judge

REFUSED = _http.Answer(problem=_http.Problem(_http.REFUSED, "connection refused"))


def answer(data: t.Any, status: int = 200) -> _http.Answer:
    return _http.Answer(status=status, body=json.dumps({"data": data}).encode())


def verdicts(checks: list[dict[str, t.Any]]) -> dict[str, str]:
    return {one["name"]: one["verdict"] for one in checks}


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [(_http.Answer(status=401), "pass"), (_http.Answer(status=200), "fail"), (REFUSED, "not_verified")],
)
def test_the_door_asks_for_a_token(seen: _http.Answer, verdict: str) -> None:
    assert _monitoring_judge.judge_refusal(seen)["verdict"] == verdict


@pytest.mark.parametrize(
    ("seen", "verdict", "said"),
    [
        (_http.Answer(status=200, body=b"# TYPE up gauge\nup 1\n"), "pass", "metrics"),
        (_http.Answer(status=200, body=b"hello"), "fail", "status 200 without metrics"),
        (_http.Answer(status=502), "fail", "status 502"),
        (REFUSED, "fail", "refused: connection refused"),
    ],
)
def test_an_exporter_is_read(seen: _http.Answer, verdict: str, said: str) -> None:
    found = _monitoring_judge.judge_module("node", seen)
    assert (found["verdict"], found["observed"]) == (verdict, said)


@pytest.mark.parametrize(
    ("listening", "verdict"),
    [
        ([{"address": "127.0.0.1", "port": 9100}], "pass"),
        ([{"address": "::1", "port": 9100}], "pass"),
        ([{"address": "0.0.0.0", "port": 9100}], "fail"),
        ([{"address": "127.0.0.1", "port": 9100}, {"address": "::", "port": 9100}], "fail"),
        ([], "fail"),
    ],
)
def test_exporters_listen_on_loopback(listening: t.Any, verdict: str) -> None:
    assert verdicts(_monitoring_judge.judge_listeners({"node": 9100}, listening)) == {"listener of node": verdict}


def target(job: str, instance: str, health: str = "up") -> dict[str, t.Any]:
    return {
        "labels": {"job": job, "instance": instance},
        "health": health,
        "lastError": "" if health == "up" else "401",
    }


@pytest.mark.parametrize(
    ("active", "known", "read"),
    [
        ([target("node", "n1"), target("node", "n2")], "pass", "pass"),
        ([target("node", "n1")], "fail", "pass"),
        ([target("node", "n1"), target("node", "n2", "down")], "pass", "fail"),
        ([target("node", "n1"), target("node", "n2", "unknown")], "pass", "fail"),
    ],
)
def test_targets(active: t.Any, known: str, read: str) -> None:
    found = _monitoring_judge.judge_targets(answer({"activeTargets": active}), ["node/n1", "node/n2"])
    assert verdicts(found) == {"targets known": known, "targets read": read}


@pytest.mark.parametrize(
    ("groups", "loaded", "evaluated"),
    [
        ([{"name": "host", "rules": [{"name": "DiskFull"}]}], "pass", "pass"),
        ([], "fail", "pass"),
        ([{"name": "host", "rules": [{"name": "DiskFull", "lastError": "many-to-many"}]}], "pass", "fail"),
    ],
)
def test_rules(groups: t.Any, loaded: str, evaluated: str) -> None:
    found = _monitoring_judge.judge_rules(answer({"groups": groups}), ["host"])
    assert verdicts(found) == {"rules loaded": loaded, "rules evaluated": evaluated}


@pytest.mark.parametrize(
    ("ready", "active", "verdict", "sent"),
    [
        (_http.Answer(status=200), [{"url": "x"}], "pass", "pass"),
        (_http.Answer(status=503), [{"url": "x"}], "fail", "pass"),
        (REFUSED, [], "fail", "fail"),
    ],
)
def test_alertmanager(ready: _http.Answer, active: t.Any, verdict: str, sent: str) -> None:
    found = _monitoring_judge.judge_alertmanager(ready, answer({"activeAlertmanagers": active}))
    assert verdicts(found) == {"Alertmanager ready": verdict, "alerts are sent": sent}


def test_a_silent_prometheus_is_not_verified() -> None:
    found = [
        *_monitoring_judge.judge_targets(REFUSED, ["node/n1"]),
        *_monitoring_judge.judge_rules(REFUSED, ["host"]),
        *_monitoring_judge.judge_alertmanager(_http.Answer(status=200), REFUSED)[1:],
    ]
    assert {one["verdict"] for one in found} == {"not_verified"}
    assert all(one["remedy"] for one in found)
