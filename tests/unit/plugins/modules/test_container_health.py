# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_daemon, _docker_gpus

READINGS = {
    "reachable": True,
    "problem": "",
    "info": {"ServerVersion": "29.6.1", "LiveRestoreEnabled": False},
    "variables": {},
    "can_raise_limits": True,
    "running": [],
    "images": {},
    "container": None,
    "container_problem": "no container runs",
}
Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Stand in for the node; holds whether a container might have been started."""
    probes: list[bool] = []

    def read(probe: bool) -> dict[str, t.Any]:
        probes.append(probe)
        return READINGS

    monkeypatch.setattr(_docker_daemon, "read", read)
    return probes


def test_a_failed_check_fails_with_its_remedy(run_module: Run, probed: list[bool]) -> None:
    result = run_module("container_health", expect={"live_restore": True})
    assert result["failed"]
    assert "live restore: fail" in result["msg"]
    assert "systemctl reload docker" in result["msg"]


@pytest.mark.parametrize(
    ("params", "failed"),
    [({"fail_on": []}, False), ({}, False), ({"strict": True}, True), ({"fail_on": ["not_verified"]}, True)],
)
def test_what_could_not_be_looked_at(
    run_module: Run, probed: list[bool], params: dict[str, t.Any], failed: bool
) -> None:
    result = run_module("container_health", expect={"nofile": "1024/1024"}, **params)
    assert (result["failed"], result["verdict"], result["changed"]) == (failed, "not_verified", False)
    assert result["facts"]["version"] == "29.6.1"


@pytest.mark.parametrize(
    ("check", "probe", "wanted"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_check_mode_starts_no_container(
    run_module: Run, probed: list[bool], check: bool, probe: bool, wanted: bool
) -> None:
    run_module("container_health", check=check, probe=probe)
    assert probed == [wanted]


@pytest.mark.parametrize(("reachable", "counted"), [(True, True), (False, False)])
def test_gpus_are_counted_where_docker_answers(
    run_module: Run, monkeypatch: pytest.MonkeyPatch, reachable: bool, counted: bool
) -> None:
    monkeypatch.setattr(_docker_daemon, "read", lambda probe: {**READINGS, "reachable": reachable})
    monkeypatch.setattr(
        _docker_gpus, "prove", lambda wish, images, probe: {**wish, "images": images, "verdict": "pass", "name": "x"}
    )
    result = run_module("container_health", expect={"gpus": {"count": 8}}, fail_on=[])
    found = [one for one in result["checks"] if one.get("count") == 8]
    assert len(found) == counted
