# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node is asked unless all is known to be as wanted; what is known never travels to the node."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible.plugins.action import ActionBase

from ansible_collections.gpufleet.inference.plugins.action.file_set import ActionModule
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _known_files

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
