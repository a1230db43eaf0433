# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``tasks/main.yml`` only names and includes; task files are short and say in each name where they stand."""

from __future__ import annotations

import pathlib

import pytest

from tests.laws._repository import action, files, load_role, name, role_files, role_of, tasks

LONGEST = 60
TASK_FILES = role_files("tasks")
MAINS = files("roles/*/tasks/main.yml")


@pytest.mark.parametrize("path", MAINS, ids=name)
def test_main_only_includes(path: pathlib.Path) -> None:
    others = [task.get("name", task) for task in tasks(path) if action(task, "import_tasks", "include_tasks") is None]
    assert not others, f"{name(path)} is a table of contents, but does this itself: {others}"


@pytest.mark.parametrize("path", TASK_FILES, ids=name)
def test_task_files_are_short(path: pathlib.Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{name(path)} has {lines} lines, more than {LONGEST}: it holds two thoughts"


@pytest.mark.parametrize("path", [path for path in TASK_FILES if path not in MAINS], ids=name)
def test_task_names_say_where_they_stand(path: pathlib.Path) -> None:
    names = [str(task.get("name", "")) for task in tasks(path)]
    bad = [one for one in names if not one.startswith(f"{path.stem} | ")]
    assert not bad, f"{name(path)}: names must begin with '{path.stem} | ': {bad}"


@pytest.mark.parametrize("path", TASK_FILES, ids=name)
def test_task_files_are_used(path: pathlib.Path) -> None:
    role = role_of(path)
    others = [one for one in role_files("tasks", "handlers") if one != path and role_of(one) == role]
    included = any(path.name in one.read_text(encoding="utf-8") for one in others)
    entries = load_role(role, "meta/argument_specs.yml").get("argument_specs", {})
    assert included or path.stem in entries, f"{name(path)} is no entry point and is never included"
