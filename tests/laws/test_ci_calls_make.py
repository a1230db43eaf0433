# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CI is not a second description of the checks: it calls make."""

from __future__ import annotations

import re

import pytest

from tests.laws._repository import ROOT, files, load, name

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", files(".github/workflows/*.yml"), ids=name)
def test_workflows_run_make_targets(path: object) -> None:
    commands = [step["run"] for job in load(path)["jobs"].values() for step in job["steps"] if "run" in step]
    assert commands, "the workflow runs nothing"
    for command in commands:
        called = re.fullmatch(r"make ([a-z-]+)", command)
        assert called and f"\n{called[1]}:" in MAKEFILE, f"{command!r} is no make target"


def test_ci_run_runs_the_tests() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ['cd "$(dirname "$0")/.." && exec make test </dev/null']
