# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What YAML names of this collection exists: modules and their options, filters, lookups, roles, playbooks."""

from __future__ import annotations

import importlib
import pathlib
import re

import pytest

from tests.laws._repository import COLLECTION, ROOT, documentation, files, name, role_files, roles, tasks

PREFIX = "gpufleet.inference."
PLAYS = [*files("playbooks/*.yml"), *files("molecule/*/*.yml")]
TASK_FILES = [*role_files("tasks", "handlers"), *(path for path in PLAYS if path.name != "molecule.yml")]
TEXTS = [*role_files("tasks", "handlers", "defaults", "vars"), *files("roles/*/templates/**/*.j2"), *PLAYS]


def options(module: str) -> set[str]:
    """Return the options of one of our modules."""
    return set(documentation(importlib.import_module(f"{COLLECTION}.plugins.modules.{module}")).get("options", {}))


@pytest.mark.parametrize("path", TASK_FILES, ids=name)
def test_modules_and_their_options(path: pathlib.Path) -> None:
    for task in tasks(path):
        for key in (key for key in task if key.startswith(PREFIX)):
            module = key.removeprefix(PREFIX)
            assert (ROOT / f"plugins/modules/{module}.py").is_file(), f"{name(path)}: there is no module {key}"
            unknown = set(task[key] or {}) - options(module)
            assert not unknown, f"{name(path)}: {task['name']}: {key} has no options {sorted(unknown)}"


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_filters_and_lookups(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = {("filter", one) for one in re.findall(r"\|\s*gpufleet\.inference\.(\w+)", text)}
    used |= {("lookup", one) for one in re.findall(r"(?:lookup|query|q)\(\s*'gpufleet\.inference\.(\w+)'", text)}
    missing = sorted(f"{kind} {one}" for kind, one in used if not (ROOT / f"plugins/{kind}/{one}.py").is_file())
    assert not missing, f"{name(path)} names {missing}"


@pytest.mark.parametrize("path", [*PLAYS, *files("roles/*/meta/main.yml")], ids=name)
def test_roles_and_playbooks(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = {*roles(), *(one.stem for one in files("playbooks/*.yml"))}
    named = re.findall(r"(?:role|import_playbook|name): gpufleet\.inference\.(\w+)", text)
    assert set(named) <= known, f"{name(path)} names {sorted(set(named) - known)}"
