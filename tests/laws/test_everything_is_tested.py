# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing without its test: roles, modules, utilities, filters, engines, platforms."""

from __future__ import annotations

import pathlib

import pytest

from tests.laws._repository import ROOT, files, load, name, plugins, roles

UNIT = ROOT / "tests/unit/plugins"
PYTHON_KINDS = ("modules", "module_utils", "plugin_utils", "filter", "lookup", "callback", "action")


@pytest.mark.parametrize("role", roles())
@pytest.mark.parametrize("path", ["molecule.yml", "converge.yml", "verify.yml"])
def test_role_has_a_scenario(role: str, path: str) -> None:
    assert (ROOT / "molecule" / role / path).is_file(), f"molecule/{role}/{path} is missing"


def test_scenarios_have_a_role() -> None:
    """A role's further scenarios are called ``<role>_<what>``."""
    scenarios = {path.parent.name for path in files("molecule/*/molecule.yml")} - {"default", "site"}
    strangers = [one for one in scenarios if one not in roles() and not one.startswith(tuple(f"{r}_" for r in roles()))]
    assert not strangers, f"scenarios of no role: {strangers}"


@pytest.mark.parametrize("path", [path for kind in PYTHON_KINDS for path in plugins(kind)], ids=name)
def test_plugin_has_a_unit_test(path: pathlib.Path) -> None:
    inside = path.relative_to(ROOT / "plugins")
    if inside.parts[:2] == ("plugin_utils", "_engines"):
        wanted = UNIT / "plugin_utils/engine_cases" / f"{path.stem}.yml"
    else:
        wanted = UNIT / inside.parent / f"test_{path.name}"
    assert wanted.is_file(), f"{name(path)} has no {name(wanted)}"


@pytest.mark.parametrize("path", files("tests/unit/plugins/plugin_utils/engine_cases/*.yml"), ids=name)
def test_engine_cases_have_an_engine(path: pathlib.Path) -> None:
    assert (ROOT / "plugins/plugin_utils/_engines" / f"{path.stem}.py").is_file(), f"{name(path)} has no engine"
    assert load(path), f"{name(path)} holds no case"


@pytest.mark.parametrize("path", files("tests/**/test_*.py"), ids=name)
def test_files_hold_tests(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "def test_" in text, f"{name(path)} holds no test"


def test_the_site_scenario_runs_the_site_playbook() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in files("molecule/site/*.yml"))
    assert "site" in text and "verify" in text, "molecule/site runs no playbook site"
