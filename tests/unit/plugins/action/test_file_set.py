# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node is asked unless all is known to be as wanted; what is known never travels to the node."""

from __future__ import annotations

import grp
import json
import os
import pathlib
import pwd
import re
import subprocess
import sys
import types
import typing as t

import pytest
from ansible.plugins.action import ActionBase

from ansible_collections.gpufleet.inference.plugins.action.file_set import ActionModule
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _known_files

ROOT = pathlib.Path(__file__).parents[4]
OWNER, GROUP = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
FILE = {"path": "/etc/a", "content": "x\n"}
AS_WANTED = {"/etc/a": _known_files.state("file", FILE)}


def run(monkeypatch: pytest.MonkeyPatch, **options: t.Any) -> tuple[dict[str, t.Any], list[dict[str, t.Any]]]:
    """Run the action with a stand-in for the node; return its result and the options that the node was given."""
    given: list[dict[str, t.Any]] = []

    def node(self: ActionBase, module_args: dict[str, t.Any], task_vars: t.Any) -> dict[str, t.Any]:
        given.append(module_args)
        return {"changed": True, "changed_paths": ["/etc/a"]}

    monkeypatch.setattr(ActionBase, "run", lambda self, tmp, task_vars: {})
    monkeypatch.setattr(ActionBase, "_execute_module", node)
    action = ActionModule.__new__(ActionModule)
    action._task = types.SimpleNamespace(args=options)
    return action.run(task_vars={}), given


def test_a_node_that_is_known_to_be_right_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    result, given = run(monkeypatch, files=[FILE], known=AS_WANTED)
    assert result == {"changed": False, "changed_paths": [], "reasons": {}, "kept_paths": []}
    assert given == []


@pytest.mark.parametrize("known", [{}, None, {"/etc/a": {"kind": "absent"}}])
def test_every_other_node_is_asked(monkeypatch: pytest.MonkeyPatch, known: t.Any) -> None:
    result, given = run(monkeypatch, files=[FILE], known=known)
    assert result == {"changed": True, "changed_paths": ["/etc/a"]}
    assert given == [{"files": [FILE]}]


# --- templates, as Ansible itself runs the action ---------------------------------------------------------------------


@pytest.fixture
def play(tmp_path: pathlib.Path) -> t.Callable[..., subprocess.CompletedProcess[str]]:
    """Return ``play(file)``: a playbook that would write one file of this machine with a template of its role."""
    role = tmp_path / "roles/one"
    (role / "templates").mkdir(parents=True)
    (role / "tasks").mkdir()
    (role / "templates/unit.j2").write_text("[Unit]\n{% if own %}\nX={{ own }} {{ task_level }}\n{% endif %}\n")
    (role / "templates/broken.j2").write_text("{{ nobody_defined_this }}\n")

    def run(**file: t.Any) -> subprocess.CompletedProcess[str]:
        tasks = [
            {
                "name": "write",
                "gpufleet.inference.file_set": {
                    "files": [{"path": str(tmp_path / "out"), "owner": OWNER, "group": GROUP, **file}]
                },
                "vars": {"task_level": "t"},
            }
        ]
        (role / "tasks/main.yml").write_text(json.dumps(tasks))
        (tmp_path / "play.yml").write_text(
            json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "roles": ["one"]}])
        )
        command = [
            str(pathlib.Path(sys.executable).with_name("ansible-playbook")),
            str(tmp_path / "play.yml"),
            "--check",
            "--diff",
        ]
        environment = {
            **os.environ,
            "ANSIBLE_STDOUT_CALLBACK": "default",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "ANSIBLE_ROLES_PATH": str(tmp_path / "roles"),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
        }
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(("own", "expected"), [("a", ["+[Unit]", "+X=a t"]), ("", ["+[Unit]"])])
def test_a_template_of_the_role_is_rendered(play: t.Callable[..., t.Any], own: str, expected: list[str]) -> None:
    done = play(template="unit.j2", template_vars={"own": own})
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if re.match(r"\+[^+]", line)] == expected, done.stdout


def test_an_absent_file_needs_no_template(play: t.Callable[..., t.Any]) -> None:
    assert play(template="broken.j2", state="absent").returncode == 0


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"template": "broken.j2"}, "nobody_defined_this"),
        ({"template": "none.j2"}, "Could not find or access 'none.j2'"),
        ({"template": "unit.j2", "content": "x"}, "content and template exclude each other"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_an_error(
    play: t.Callable[..., t.Any], file: dict[str, t.Any], said: str
) -> None:
    done = play(**file)
    assert done.returncode == 2 and said in done.stdout + done.stderr
