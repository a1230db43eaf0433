# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A door with TLS and a token, Prometheus and Alertmanager, asked of stand-ins."""

from __future__ import annotations

import itertools
import pathlib
import types
import typing as t
import urllib.parse

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _node
from ansible_collections.gpufleet.inference.plugins.modules import monitoring_health
from tests.fakes import stub_endpoint as stub

Run = t.Callable[..., dict[str, t.Any]]

TOKEN = "token-0123456789-abcdef"
METRICS = stub.answer(200, "# TYPE up gauge", "text/plain")
UP = {"labels": {"job": "node", "instance": "n1"}, "health": "up", "lastError": ""}


def verdicts(result: dict[str, t.Any]) -> dict[str, str]:
    return {one["name"]: one["verdict"] for one in result["checks"]}


def prometheus(active: list[dict[str, t.Any]], alerts: t.Sequence[dict[str, t.Any]] = ()) -> dict[str, stub.Route]:
    said = {
        "targets": {"activeTargets": active},
        "rules": {"groups": [{"name": "host", "rules": []}]},
        "alertmanagers": {"activeAlertmanagers": [{"url": "x"}]},
        "alerts": {"alerts": list(alerts)},
    }
    return {
        "/-/ready": stub.answer(200, "OK"),
        **{f"/api/v1/{name}": stub.answer(200, {"data": data}) for name, data in said.items()},
    }


@pytest.fixture
def door(tmp_path: pathlib.Path) -> t.Iterator[dict[str, t.Any]]:
    """A door with the module node, and how the module is told of it."""
    pem = stub.certificate(tmp_path / "door.pem")
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    with stub.serving({"/proxy?module=node": stub.with_key(TOKEN, METRICS)}, tls=pem) as url:
        yield {
            "address": "127.0.0.1",
            "port": urllib.parse.urlsplit(url).port,
            "name": "127.0.0.1",
            "ca_path": str(pem),
            "token_path": str(tmp_path / "token"),
            "modules": ["node"],
        }


def test_a_door_that_is_read(run_module: Run, door: dict[str, t.Any]) -> None:
    result = run_module("monitoring_health", check=True, door=door)
    assert not result["failed"]
    assert verdicts(result) == {"metrics door asks for a token": "pass", "metrics of node": "pass"}


def test_an_exporter_that_is_not_there(run_module: Run, door: dict[str, t.Any]) -> None:
    result = run_module("monitoring_health", door={**door, "modules": ["node", "engine_r1"]})
    assert result["failed"]
    assert verdicts(result)["metrics of engine_r1"] == "fail"


def test_a_listener_that_is_open(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_node, "listening", lambda: [{"address": "0.0.0.0", "port": 9100}])
    result = run_module("monitoring_health", expect={"listeners": {"node": 9100}})
    assert verdicts(result) == {"listener of node": "fail"}


def test_a_missing_token_says_what_to_do(run_module: Run, door: dict[str, t.Any]) -> None:
    result = run_module("monitoring_health", door={**door, "token_path": "/no/such/token"})
    assert result["failed"] and "Run the role monitoring" in result["msg"]


def test_prometheus_and_its_alerts(run_module: Run) -> None:
    alerts = [
        {"labels": {"alertname": "DiskFull"}, "state": "firing"},
        {"labels": {"alertname": "DiskFills"}, "state": "pending"},
    ]
    with stub.serving(prometheus([UP], alerts)) as url:
        result = run_module(
            "monitoring_health",
            server={"prometheus": url, "alertmanager": url},
            expect={"targets": ["node/n1"], "groups": ["host"]},
        )
    assert not result["failed"]
    assert set(verdicts(result).values()) == {"pass"}
    assert result["facts"]["alerts"] == ["DiskFull"]


def test_it_waits_until_every_target_was_read(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    clock = types.SimpleNamespace(sleep=pauses.append, monotonic=itertools.count().__next__)
    monkeypatch.setattr(monitoring_health, "time", clock)
    routes = prometheus([UP])
    unread = stub.answer(200, {"data": {"activeTargets": [{**UP, "health": "unknown"}]}})
    routes["/api/v1/targets"] = stub.in_turn(unread, unread, routes["/api/v1/targets"])
    with stub.serving(routes) as url:
        server = {"prometheus": url, "alertmanager": url}
        result = run_module("monitoring_health", server=server, wait_seconds=60)
    assert not result["failed"]
    assert len(pauses) == 2


def test_a_silent_prometheus_is_not_verified(run_module: Run) -> None:
    with stub.serving({}) as url:
        gone = {"prometheus": url, "alertmanager": url}
    result = run_module("monitoring_health", server=gone, strict=True)
    assert result["failed"]
    assert verdicts(result)["targets of Prometheus"] == "not_verified"
