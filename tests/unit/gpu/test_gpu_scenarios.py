# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault scenario is found as it says, healthy profiles raise no alarm, and every check has its faults."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge import JUDGES
from tests.gpu import scenario

SICK = scenario.load()
HEALTHY = scenario.healthy()

#: Checks that always have an answer, with the reason why nobody can fail to look.
ALWAYS_ANSWERED: dict[str, str] = {
    "nouveau": "/sys/module names every loaded module",
    "harmful variables": "root can read the files that exist",
    "stuck processes": "root can read /proc",
}

#: Checks that say only that something is not known.
NEVER_BAD = {"GPUs in the catalogue"}


@pytest.fixture(scope="module")
def results() -> dict[str, scenario.Result]:
    return scenario.run([*HEALTHY, *SICK])


@pytest.mark.parametrize("one", SICK, ids=lambda one: one.name)
def test_fault_is_found(one: scenario.Scenario, results: dict[str, scenario.Result]) -> None:
    assert not scenario.faults(one, results[one.name])


@pytest.mark.parametrize("one", HEALTHY, ids=lambda one: one.name)
def test_healthy_profiles_raise_no_alarm(one: scenario.Scenario, results: dict[str, scenario.Result]) -> None:
    result = results[one.name]
    assert not scenario.faults(one, result)
    assert result["verdict"] == "pass"
    assert len(result["checks"]) + len(result["facts"]["not_applicable"]) == len(JUDGES)


@pytest.mark.parametrize("name", JUDGES)
def test_every_check_has_a_fault(name: str) -> None:
    bad = any(one.verdicts.get(name) in ("warn", "fail") for one in SICK)
    assert bad != (name in NEVER_BAD), f"scenarios that make {name!r} warn or fail: {bad}"


@pytest.mark.parametrize("name", JUDGES)
def test_every_check_can_fail_to_look(name: str) -> None:
    named = any(one.verdicts.get(name) == "not_verified" for one in SICK)
    assert named != (name in ALWAYS_ANSWERED), f"scenarios that make {name!r} not_verified: {named}"


@pytest.mark.parametrize("name", JUDGES)
def test_every_check_passes_somewhere(name: str, results: dict[str, scenario.Result]) -> None:
    passed = [check for result in results.values() for check in result.get("checks", []) if check["name"] == name]
    assert any(check["verdict"] == "pass" for check in passed), f"{name!r} never passes"


def test_names_of_checks_in_scenarios_exist() -> None:
    named = {check for one in SICK for check in (*one.verdicts, *one.says)}
    assert named <= set(JUDGES)


def test_there_are_enough() -> None:
    assert len(SICK) > 120
    assert len({one.profile for one in SICK}) >= 5
