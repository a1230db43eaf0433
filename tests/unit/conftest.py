# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What unit tests of modules share."""

from __future__ import annotations

import importlib
import pathlib
import typing as t

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

Result = dict[str, t.Any]


class _Ended(Exception):
    """A module ended: carries its result."""

    def __init__(self, result: Result) -> None:
        super().__init__(str(result.get("msg", "")))
        self.result = result


@pytest.fixture
def run_module(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> t.Callable[..., Result]:
    """Return ``run(name, check=False, diff=False, **params)``: run a module's ``main()`` here and return its result.

    ``result["failed"]`` tells whether it ended by ``fail_json``.
    """

    def exit_json(module: basic.AnsibleModule, **result: t.Any) -> t.NoReturn:
        raise _Ended({"changed": False, "failed": False, **result})

    def fail_json(module: basic.AnsibleModule, msg: str, **result: t.Any) -> t.NoReturn:
        raise _Ended({"changed": False, **result, "failed": True, "msg": msg})

    registry: pathlib.Path = tmp_path_factory.mktemp("registry") / "paths.json"
    monkeypatch.setattr("ansible_collections.gpufleet.inference.plugins.module_utils._files.REGISTRY", str(registry))
    monkeypatch.setattr(basic.AnsibleModule, "exit_json", exit_json)
    monkeypatch.setattr(basic.AnsibleModule, "fail_json", fail_json)

    def run(name: str, check: bool = False, diff: bool = False, **params: t.Any) -> Result:
        module = importlib.import_module(f"ansible_collections.gpufleet.inference.plugins.modules.{name}")
        wanted = {**params, "_ansible_check_mode": check, "_ansible_diff": diff}
        with patch_module_args(wanted), pytest.raises(_Ended) as ended:
            module.main()
        return ended.value.result

    return run
