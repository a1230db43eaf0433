# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing passes by accident: no ignored error, constant assertion, silenced linter or shell without a reason."""

from __future__ import annotations

import pathlib
import re

import pytest

from tests.laws._repository import (
    ROOT,
    Task,
    action,
    committed,
    files,
    name,
    role_files,
    tasks,
    variables,
)

TASK_FILES = [*role_files("tasks", "handlers"), *files("playbooks/*.yml"), *files("molecule/**/*.yml")]
TASK_FILES = [path for path in TASK_FILES if path.name != "molecule.yml" and "inventory" not in path.parts]
#: In pieces, so that this file does not break its own law.
SILENCERS = re.compile(
    "|".join(["# " + "noqa", "skip" + "_list", "warn" + "_list", "yamllint " + "disable", "mark." + "xfail"])
)


@pytest.mark.parametrize("path", TASK_FILES, ids=name)
def test_no_ignored_errors(path: pathlib.Path) -> None:
    for task in tasks(path):
        assert not {"ignore_errors", "ignore_unreachable"} & set(task), f"{name(path)}: {task['name']} ignores errors"
        assert task.get("failed_when") not in (False, "false", ["false"]), f"{name(path)}: {task['name']} cannot fail"


def constant(condition: object) -> bool:
    """Tell whether a condition reads no variable, so that it always has the same outcome."""
    return isinstance(condition, bool) or not variables("{{ " + str(condition) + " }}")


def conditions(task: Task) -> list[object]:
    that = (action(task, "assert") or {}).get("that", [])
    return that if isinstance(that, list) else [that]


@pytest.mark.parametrize("path", TASK_FILES, ids=name)
def test_no_constant_assertion(path: pathlib.Path) -> None:
    bad = [(task["name"], one) for task in tasks(path) for one in conditions(task) if constant(one)]
    assert not bad, f"{name(path)} asserts what is always the same: {bad}"


@pytest.mark.parametrize("path", files("molecule/*/verify.yml"), ids=name)
def test_verify_asserts_something(path: pathlib.Path) -> None:
    asserting = [one for task in tasks(path) for one in conditions(task) if not constant(one)]
    failing = [key for task in tasks(path) for key in ("failed_when", "until") if not constant(task.get(key, True))]
    assert asserting or failing, f"{name(path)} asserts nothing of its own"


@pytest.mark.parametrize("path", committed(), ids=name)
def test_no_silenced_tool(path: pathlib.Path) -> None:
    if path.suffix not in (".py", ".yml", ".yaml", ".toml", ".j2", ".sh", ".cfg") and path.name != ".yamllint":
        return
    found = SILENCERS.findall(path.read_text(encoding="utf-8"))
    assert not found, f"{name(path)} silences a tool: {found}"


def test_shell_has_a_reason() -> None:
    bare = [f"{name(path)}:{line}" for path in TASK_FILES for line in shells_without_comment(path)]
    assert not bare, f"say in a comment above the task why it needs a shell: {bare}"


def shells_without_comment(path: pathlib.Path) -> list[int]:
    """Return the line numbers of ``shell:`` in tasks that have no comment on the line above their dash."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = []
    for number, line in enumerate(lines):
        if re.match(r"\s+(ansible\.builtin\.)?shell:", line):
            dash = next(at for at in range(number, -1, -1) if re.match(r"\s*- ", lines[at]))
            if not (dash and lines[dash - 1].strip().startswith("#")):
                found.append(number + 1)
    return found


def test_the_linters_keep_their_teeth() -> None:
    lint = (ROOT / ".config/ansible-lint.yml").read_text(encoding="utf-8")
    assert "profile: production" in lint and "name[prefix]" in lint
