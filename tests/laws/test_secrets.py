# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets are known by their names, are never literal, never logged, and never on a command line."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from tests.laws._repository import (
    Task,
    action,
    files,
    load,
    load_role,
    name,
    role_files,
    roles,
    strings,
    tasks,
    variables,
)

VALUES = [*role_files("defaults", "vars"), *files("inventories/**/*.yml"), *files("playbooks/*.yml")]
SUFFIXES = ("_token", "_password", "_key")


def secret(variable: str) -> bool:
    return variable.endswith(SUFFIXES)


def options(spec: t.Any) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Return every (name, option) of a role's entry point, nested ones too."""
    for key, option in (spec or {}).items():
        yield key, option
        yield from options(option.get("options"))


@pytest.mark.parametrize("role", roles())
def test_secret_options_are_not_logged(role: str) -> None:
    main = load_role(role, "meta/argument_specs.yml").get("argument_specs", {}).get("main", {})
    for key, option in options(main.get("options")):
        assert secret(key) == bool(option.get("no_log")), f"{role}: {key}: a name of a secret and no_log go together"


def literal_secrets(data: t.Any) -> list[str]:
    """Return the keys with a secret's name whose value is a text without a template."""
    return [key for key, text in strings(data) if secret(key) and text and "{{" not in text]


@pytest.mark.parametrize("path", VALUES, ids=name)
def test_no_literal_secret(path: pathlib.Path) -> None:
    found = literal_secrets(load(path))
    assert not found, f"{name(path)} holds the value of a secret: {found}"


def command_line(task: Task) -> list[str]:
    return [text for _, text in strings(action(task, "command", "shell", "script", "raw"))]


@pytest.mark.parametrize("path", [*role_files("tasks", "handlers"), *files("playbooks/*.yml")], ids=name)
def test_no_secret_on_a_command_line(path: pathlib.Path) -> None:
    for task in tasks(path):
        shown = {one for text in command_line(task) if "{{" in text for one in variables(text) if secret(one)}
        assert not shown, f"{name(path)}: {task['name']} puts {sorted(shown)} on a command line"
