# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults of the live alerts: each has a rule, and none waits for one that never comes."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml

from tests.lab import alerts
from tests.lab.shell import LabError

RULES = pathlib.Path(__file__).parents[3] / "roles/monitoring/files/rules"
KNOWN = {
    rule["alert"]
    for path in RULES.glob("*.yml")
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
    if "alert" in rule
}
NAMES = [fault.alert for fault in alerts.FAULTS]


def test_each_fault_has_an_alert_of_its_own() -> None:
    assert set(NAMES) <= KNOWN
    assert len(NAMES) == len(set(NAMES))


def test_every_fault_is_made_in_the_end() -> None:
    fired: list[str] = []
    while found := alerts.due(fired, fired):
        fired += [fault.alert for fault in found]
    assert sorted(fired) == sorted(NAMES)


def test_a_fault_waits_for_the_alerts_that_it_would_hide() -> None:
    first = [fault.alert for fault in alerts.due([], [])]
    assert "VerdictFailed" in first
    assert "TargetDown" not in first
    assert "GatewayErrors" not in [fault.alert for fault in alerts.due(first, ["VerdictFailed"])]
    assert "TargetDown" in [fault.alert for fault in alerts.due(first, ["VerdictFailed"])]
    assert alerts.due(NAMES, []) == []


def test_an_alert_that_fires_before_its_fault_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    fault = alerts.Fault("TargetDown", "x", lambda: made.append("x"), "lab2")
    monkeypatch.setattr(alerts, "FAULTS", (fault,))
    monkeypatch.setattr(alerts, "alerts_now", lambda: [listed("TargetDown", node="lab2")])
    with pytest.raises(LabError, match="fires before its fault is made"):
        alerts.watch()
    assert made == []


def listed(alert: str, state: str = "firing", **labels: str) -> dict[str, t.Any]:
    return {"state": state, "labels": {"alertname": alert, **labels}}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([], False),
        ([listed("TargetDown", node="lab2")], True),
        ([listed("TargetDown", node="lab1")], False),
        ([listed("TargetDown", "pending", node="lab2")], False),
        ([listed("RayNodeLost", node="lab2")], False),
        ([listed("TargetDown", node="lab1"), listed("TargetDown", node="lab2")], True),
    ],
)
def test_only_the_alert_of_that_node_counts(shown: list[dict[str, t.Any]], expected: bool) -> None:
    [fault] = [one for one in alerts.FAULTS if one.alert == "TargetDown"]
    assert alerts.fires(fault, shown) is expected
