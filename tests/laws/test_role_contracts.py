# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Defaults and argument specs agree; every role has its entry points and its papers."""

from __future__ import annotations

import typing as t

import pytest

from tests.laws._repository import load_role, role_file, roles

ENTRY_POINTS = ("main", "validate", "prove")


def entries(role: str) -> dict[str, dict[str, t.Any]]:
    return load_role(role, "meta/argument_specs.yml").get("argument_specs", {})


def options(role: str, entry: str = "main") -> dict[str, dict[str, t.Any]]:
    return entries(role).get(entry, {}).get("options", {})


@pytest.mark.parametrize("role", roles())
@pytest.mark.parametrize("path", ["README.md", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml"])
def test_papers(role: str, path: str) -> None:
    assert role_file(role, path).is_file(), f"roles/{role}/{path} is missing"


@pytest.mark.parametrize("role", roles())
def test_entry_points(role: str) -> None:
    missing = [entry for entry in ENTRY_POINTS if entry not in entries(role)]
    assert not missing, f"roles/{role}/meta/argument_specs.yml lacks the entry points {missing}"
    without_tasks = [entry for entry in entries(role) if not role_file(role, f"tasks/{entry}.yml").is_file()]
    assert not without_tasks, f"roles/{role}/tasks has no file for the entry points {without_tasks}"


@pytest.mark.parametrize("role", roles())
def test_entry_points_share_their_options(role: str) -> None:
    differing = [entry for entry in ENTRY_POINTS if options(role, entry) != options(role)]
    assert not differing, f"{role}: the options of {differing} and main differ"


@pytest.mark.parametrize("role", roles())
def test_defaults_are_the_options(role: str) -> None:
    optional = {name for name, option in options(role).items() if not option.get("required")}
    given = set(load_role(role, "defaults/main.yml"))
    assert not given - optional, f"{role}: in defaults, but no optional option of the spec: {sorted(given - optional)}"
    assert not optional - given, f"{role}: optional in the spec, but not in defaults: {sorted(optional - given)}"


@pytest.mark.parametrize("role", roles())
def test_default_values_agree(role: str) -> None:
    values = load_role(role, "defaults/main.yml")
    for name, option in options(role).items():
        value, said = values.get(name), option.get("default")
        computed = isinstance(value, str) and "{{" in value
        agree = value == said or (computed and "default" not in option)
        assert agree, f"{role}: {name} is {value!r} in defaults, {said!r} in the spec"


@pytest.mark.parametrize("role", roles())
def test_galaxy_info(role: str) -> None:
    info = load_role(role, "meta/main.yml").get("galaxy_info", {})
    assert info.get("license") == "GPL-3.0-or-later"
    assert info.get("min_ansible_version") == "2.19"
    lacking = [key for key in ("author", "description", "platforms") if not info.get(key)]
    assert not lacking, f"roles/{role}/meta/main.yml lacks {lacking}"
