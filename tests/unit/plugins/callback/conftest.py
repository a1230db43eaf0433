# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real runs of ansible-playbook on two local "nodes", for the tests of the callbacks."""

from __future__ import annotations

import collections.abc as c
import dataclasses
import json
import os
import pathlib
import pty
import subprocess
import sys
import typing as t

import pytest

ROOT = pathlib.Path(__file__).parents[4]

CONFIGURATION = f"""
[defaults]
collections_path = {ROOT}/.cache/collections
stdout_callback = gpufleet.inference.progress
callbacks_enabled = gpufleet.inference.report
library = library
gathering = explicit
retry_files_enabled = false
nocows = true
"""

INVENTORY = {
    "all": {
        "hosts": {"lab1": {}, "lab2": {}},
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
    }
}

#: A proof module with one check that passes, one that warns and, when wanted, one that fails.
PROOF = """
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import check, finish, proof_argument_spec

module = AnsibleModule({**proof_argument_spec(), "bad": {"type": "bool"}}, supports_check_mode=True)
checks = [
    check("memlock", "pass", "unlimited", "unlimited", source="/proc/1/limits"),
    check("swap", "warn", "2 GiB", "none", "Turn swap off.", "/proc/swaps"),
]
if module.params["bad"]:
    checks.append(check("THP", "fail", "always", "madvise", "Run the role os_tuning.", "/sys/kernel/mm"))
finish(module, checks)
"""


WARN = """
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({})
module.warn("mind the gap")
module.exit_json()
"""


@dataclasses.dataclass(frozen=True)
class Done:
    rc: int
    text: str
    folder: pathlib.Path

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def report(self) -> dict[str, t.Any]:
        data: dict[str, t.Any] = json.loads((self.folder / "reports" / "last.json").read_text())
        return data


class Play:
    """Writes playbooks into a folder of their own and runs them."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        (folder / "library").mkdir()
        (folder / "library" / "toy_health.py").write_text(PROOF)
        (folder / "ansible.cfg").write_text(CONFIGURATION)
        (folder / "inventory.json").write_text(json.dumps(INVENTORY))

    def role(self, name: str, tasks: list[dict[str, t.Any]]) -> None:
        path = self.folder / "roles" / name / "tasks" / "main.yml"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(tasks))

    def run(
        self,
        *arguments: str,
        tasks: c.Sequence[c.Mapping[str, t.Any]] = (),
        terminal: bool = False,
        environment: c.Mapping[str, str] | None = None,
        **play: t.Any,
    ) -> Done:
        whole = {"name": "Try it", "hosts": "all", "gather_facts": False, "tasks": list(tasks), **play}
        (self.folder / "toy.yml").write_text(json.dumps([whole]))
        command = [
            f"{pathlib.Path(sys.executable).parent}/ansible-playbook",
            "-i",
            "inventory.json",
            "toy.yml",
            *arguments,
        ]
        hidden = ("CI", "ANSIBLE_FORCE_COLOR", "ANSIBLE_STDOUT_CALLBACK", "ANSIBLE_CALLBACKS_ENABLED")
        clean = {key: value for key, value in os.environ.items() if key not in hidden}
        clean |= {"ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"), "TERM": "xterm", **(environment or {})}
        if not terminal:
            done = subprocess.run(
                command, cwd=self.folder, env=clean, capture_output=True, text=True, timeout=120, check=False
            )
            return Done(done.returncode, done.stdout + done.stderr, self.folder)
        return self._in_terminal(command, clean)

    def _in_terminal(self, command: list[str], environment: dict[str, str]) -> Done:
        ours, theirs = pty.openpty()
        child = subprocess.Popen(command, cwd=self.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            said += piece
        os.close(ours)
        return Done(child.wait(timeout=120), said.decode(), self.folder)


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The lines of one run, on one node, of everything that needs no run of its own."""
    play = Play(tmp_path_factory.mktemp("news"))
    (play.folder / "library" / "toy_warn.py").write_text(WARN)
    broken = {"name": "Break", "ansible.builtin.fail": {"msg": "no disk"}}
    program = {"name": "Call", "ansible.builtin.command": "sh -c 'echo words >&2; exit 3'"}
    run = {"ansible.builtin.command": "true"}
    some = {"name": "Some", "ansible.builtin.command": "test {{ item }} = a", "changed_when": False, "loop": ["a", "b"]}
    done = play.run(
        "--limit",
        "lab1",
        tasks=[
            {"name": "Try", "block": [broken], "rescue": [{"name": "Mend", **run}]},
            {"name": "Shrug", "ansible.builtin.fail": {"msg": "no matter"}, "ignore_errors": True},
            {**program, "ignore_errors": True},
            {"name": "Each", "loop": ["a", "b"], **run},
            {**some, "ignore_errors": True},
            {"name": "There", "delegate_to": "lab2", **run},
            {"name": "Tell", "ansible.builtin.debug": {"msg": "a word"}},
            {"name": "Warn", "toy_warn": {}},
            {"name": "prove | Look", "toy_health": {"bad": True}},
        ],
    )
    assert done.rc == 2
    return done.lines


@pytest.fixture
def play(tmp_path: pathlib.Path) -> Play:
    return Play(tmp_path)
