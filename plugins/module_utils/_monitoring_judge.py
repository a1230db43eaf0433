# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a node's door for metrics, and Prometheus with Alertmanager, by what they answer.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._http import Answer
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, PASS, Check, check, not_verified

#: What every exporter's answer holds.
METRICS = b"# TYPE "

DOOR_REMEDY = "look at journalctl -u gpufleet-metrics-door, then run the role monitoring again"


def _why(answer: Answer) -> str:
    if answer.problem is not None:
        return f"{answer.problem.kind}: {answer.problem.text}"
    return f"status {answer.status}"


def judge_refusal(answer: Answer) -> Check:
    """Return the check that the door asks for a token; ``answer`` came without one."""
    name, source = "metrics door asks for a token", "GET /proxy without a token"
    if answer.status is None:
        return not_verified(name, _why(answer), "status 401", DOOR_REMEDY, source)
    return check(name, PASS if answer.status == 401 else FAIL, _why(answer), "status 401", DOOR_REMEDY, source)


def judge_module(module: str, answer: Answer) -> Check:
    """Return the check that one exporter can be read through the door."""
    good = answer.status == 200 and answer.problem is None and METRICS in answer.body
    seen = "metrics" if good else _why(answer) + ("" if answer.status != 200 else " without metrics")
    remedy = f"ask the exporter behind it (port in /etc/gpufleet-monitoring/door.yml under {module}); {DOOR_REMEDY}"
    return check(f"metrics of {module}", PASS if good else FAIL, seen, "metrics", remedy, f"GET /proxy?module={module}")


def judge_listeners(ports: t.Mapping[str, int], listening: t.Sequence[t.Mapping[str, t.Any]]) -> list[Check]:
    """Return one check per name: its port listens on loopback and nowhere else. ``listening``: [{address, port}]."""
    checks = []
    for name, port in sorted(ports.items()):
        addresses = sorted({str(one["address"]) for one in listening if one["port"] == port})
        opened = [one for one in addresses if not ipaddress.ip_address(one).is_loopback]
        remedy = f"gpufleet-* units listen on loopback: find who else opened {port} (ss -ltnp) and stop it"
        if not addresses:
            found = check(
                f"listener of {name}", FAIL, "none", "loopback", f"start its unit: {DOOR_REMEDY}", "/proc/net/tcp"
            )
        else:
            verdict = FAIL if opened else PASS
            found = check(f"listener of {name}", verdict, ", ".join(addresses), "loopback", remedy, "/proc/net/tcp")
        checks.append(found)
    return checks


def judge_targets(answer: Answer, expected: t.Sequence[str]) -> list[Check]:
    """Return the checks that Prometheus knows and reads each target ``job/instance``; ``answer``: /api/v1/targets."""
    source, remedy = (
        "GET /api/v1/targets",
        "look at lastError; the exporter, its door or the network between is at fault",
    )
    try:
        active = answer.json()["data"]["activeTargets"]
        seen = {f"{one['labels']['job']}/{one['labels']['instance']}": one for one in active}
    except (KeyError, TypeError):
        return [
            not_verified(
                "targets of Prometheus", _why(answer), len(expected), "journalctl -u gpufleet-prometheus", source
            )
        ]
    absent = sorted(set(expected) - set(seen))
    down = [
        f"{name}: {one.get('lastError') or one['health']}"
        for name, one in sorted(seen.items())
        if one["health"] != "up"
    ]
    reload = "Prometheus runs with an older configuration: systemctl reload gpufleet-prometheus"
    return [
        check("targets known", FAIL if absent else PASS, ", ".join(absent) or "all", "all", reload, source),
        check("targets read", FAIL if down else PASS, "; ".join(down) or f"{len(seen)} up", "all up", remedy, source),
    ]


def judge_rules(answer: Answer, groups: t.Sequence[str]) -> list[Check]:
    """Return the checks that Prometheus evaluates each group of rules without error; ``answer``: /api/v1/rules."""
    source = "GET /api/v1/rules"
    try:
        seen = {one["name"]: one["rules"] for one in answer.json()["data"]["groups"]}
    except (KeyError, TypeError):
        return [
            not_verified("rules of Prometheus", _why(answer), len(groups), "journalctl -u gpufleet-prometheus", source)
        ]
    absent = sorted(set(groups) - set(seen))
    broken = sorted(
        f"{rule['name']}: {rule['lastError']}" for rules in seen.values() for rule in rules if rule.get("lastError")
    )
    remedy = "Prometheus runs with older rules: systemctl reload gpufleet-prometheus"
    return [
        check(
            "rules loaded",
            FAIL if absent else PASS,
            f"missing {', '.join(absent)}" if absent else "all",
            "all",
            remedy,
            source,
        ),
        check(
            "rules evaluated",
            FAIL if broken else PASS,
            "; ".join(broken) or "all",
            "all",
            "correct or remove this rule",
            source,
        ),
    ]


def judge_alertmanager(ready: Answer, known: Answer) -> list[Check]:
    """Return the checks that Alertmanager is ready and that Prometheus sends to it; ``known``: /api/v1/alertmanagers."""
    remedy = "look at journalctl -u gpufleet-alertmanager"
    checks = [
        check(
            "Alertmanager ready",
            PASS if ready.status == 200 else FAIL,
            _why(ready),
            "status 200",
            remedy,
            "GET /-/ready",
        )
    ]
    try:
        active = known.json()["data"]["activeAlertmanagers"]
    except (KeyError, TypeError):
        return [*checks, not_verified("alerts are sent", _why(known), 1, remedy, "GET /api/v1/alertmanagers")]
    verdict = PASS if active else FAIL
    return [
        *checks,
        check("alerts are sent", verdict, f"to {len(active)}", "to 1", remedy, "GET /api/v1/alertmanagers"),
    ]
