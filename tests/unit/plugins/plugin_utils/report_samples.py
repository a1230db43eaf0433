# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small runs for the tests of the report."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _report
from ansible_collections.gpufleet.inference.plugins.plugin_utils._result import Where

START = datetime.datetime(2026, 11, 22, 1, 0, tzinfo=datetime.UTC)
RECAP = {"ok": 3, "changed": 0, "unreachable": 0, "failed": 0, "skipped": 1, "rescued": 0, "ignored": 0}
PLACE = Where("os_tuning", "prove", "Look at the node")
ENDPOINT = {
    "name": "tiny",
    "url": "https://10.77.0.11:8443",
    "model": "deepseek-tiny",
    "api_key_path": "/secrets/api key",
    "certificate_path": "/secrets/cert.pem",
}


def seen(
    verdict: str, host: str = "lab1", name: str = "memlock", play: int = 1, status: str = "ok", **more: t.Any
) -> _report.Outcome:
    """One proof with one check."""
    check = {"name": name, "verdict": verdict, "observed": "64 KiB", "expected": "unlimited", "remedy": "raise it"}
    result = {"verdict": verdict, "checks": [check | more]}
    return _report.outcome(host, play, PLACE, "gpufleet.inference.host_health", status, result)


def did(status: str, host: str = "lab1", **result: t.Any) -> _report.Outcome:
    """One task that proves nothing."""
    return _report.outcome(host, 1, Where("gateway", "run", "Start it"), "ansible.builtin.systemd", status, result)


def report(*outcomes: _report.Outcome, hosts: tuple[str, ...] = ("lab1", "lab2"), **more: t.Any) -> _report.Report:
    wanted: dict[str, t.Any] = {
        "playbook": "site",
        "started": START,
        "ended": START + datetime.timedelta(seconds=192),
        "outcomes": outcomes,
        "recap": dict.fromkeys(hosts, RECAP),
    }
    return _report.build(**(wanted | more))
