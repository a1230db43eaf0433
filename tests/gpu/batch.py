# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module gpu_health on many nodes in one interpreter: jobs as JSON on standard input, results on standard output.

The library is found when the interpreter starts, the scenario when it is asked: NVML runs in a fork of its own each time.
The files around the cards come from a tree; one test of the readers looks at the real path.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import sys
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.gpufleet.inference.plugins.modules import gpu_health
from tests.fakes.gpu_host import make_root, read_root


class _Ended(Exception):
    """The module ended: carries its result."""

    def __init__(self, result: dict[str, t.Any]) -> None:
        super().__init__()
        self.result = result


def _exit_json(module: basic.AnsibleModule, **result: t.Any) -> t.NoReturn:
    raise _Ended(result)


def _fail_json(module: basic.AnsibleModule, msg: str, **result: t.Any) -> t.NoReturn:
    raise _Ended({**result, "failed": True, "msg": msg})


def remove(path: pathlib.Path) -> None:
    """Remove a file or a folder, which must be there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def run(job: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what the module returns for one job."""
    os.environ["GPUFLEET_FAKE_NVML"] = job["nvml"]
    root = make_root(job["root"], job["profile"], **job["host"])
    for path in job["gone"]:
        remove(root / path.lstrip("/"))
    gpu_health.read_gpu_host = lambda: read_root(root)
    try:
        with patch_module_args(job["params"]):
            gpu_health.main()
    except _Ended as ended:
        return ended.result
    raise AssertionError("the module returned without a result")


def main() -> None:
    basic.AnsibleModule.exit_json = _exit_json
    basic.AnsibleModule.fail_json = _fail_json
    jobs = json.load(sys.stdin)
    json.dump({job["name"]: run(job) for job in jobs}, sys.stdout)


if __name__ == "__main__":
    main()
