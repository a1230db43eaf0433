# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.modules import host_health

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_health, "read", lambda host, expect: {"container": "", "thp": "never", "packages": {}})


def test_an_unknown_key_is_refused(run_module: Run) -> None:
    result = run_module("host_health", expect={"sysctls": {}, "thp": "never"})
    assert result["failed"]
    assert "unknown sysctls. Known are sysctl, nofile" in result["msg"]


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(
    ("wanted", "fail_on", "verdict", "failed"),
    [
        ("never", ["warn", "fail"], "pass", False),
        ("madvise", ["fail"], "warn", False),
        ("madvise", ["warn"], "warn", True),
    ],
)
def test_the_verdict_fails_as_wished(
    run_module: Run, wanted: str, fail_on: list[str], verdict: str, failed: bool
) -> None:
    result = run_module("host_health", check=True, expect={"thp": wanted}, fail_on=fail_on)
    assert (result["verdict"], result["failed"], result["changed"]) == (verdict, failed, False)
    assert result["facts"] == {"container": "", "thp": "never"}


def test_nothing_expected_is_nothing_verified(run_module: Run) -> None:
    assert run_module("host_health")["verdict"] == "not_verified"
