# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.gpufleet.inference.plugins.modules import gpu_speed


class _Ended(Exception):
    pass


def run(monkeypatch: pytest.MonkeyPatch, **options: t.Any) -> dict[str, t.Any]:
    """Return what the module returns."""
    said: dict[str, t.Any] = {}

    def exit_json(self: basic.AnsibleModule, **result: t.Any) -> t.NoReturn:
        said.update(result)
        raise _Ended

    monkeypatch.setattr(basic.AnsibleModule, "exit_json", exit_json)
    with patch_module_args({"node": "n1", **options}), pytest.raises(_Ended):
        gpu_speed.main()
    return said


def test_it_returns_what_the_command_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = json.dumps({"fleet": {"n1": {"gpus": 2}}, "measurements": [{"kind": "gemm"}]})
    result = run(monkeypatch, argv=["echo", printed])
    assert (result["changed"], result["run"]["measurements"]) == (False, [{"kind": "gemm"}])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"problem": "the node has no GPU"}, "the node has no GPU"),
        ({}, "there is no command to run"),
        ({"argv": ["false"]}, "false returned 1: "),
        ({"argv": ["sleep", "60"], "seconds": 0}, "sleep did not answer within 0 s"),
    ],
)
def test_it_says_why_there_is_nothing(monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any], problem: str) -> None:
    (one,) = run(monkeypatch, **options)["run"]["measurements"]
    assert (one["problem"], one["value"]) == (problem, None)
