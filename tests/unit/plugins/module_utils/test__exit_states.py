# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What exit codes mean, and when they mean nothing."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._exit_states import EXIT_CODES, end_of
from tests.unit.plugins.module_utils import diagnosis_samples as samples

FULL = {"shm_free_bytes": 0, "disk_free_bytes": {"/": 0, "/var": 2**40}}


@pytest.mark.parametrize(
    ("rank", "expected"),
    [
        ({}, []),
        ({"state": {"running": True, "exit_code": 0}, "facts": FULL}, []),
        ({"state": {"running": False, "exit_code": 0}, "facts": FULL}, []),
        ({"state": {"running": False, "exit_code": 143}, "facts": FULL}, []),
        ({"state": {"running": False, "exit_code": 1}}, []),
        ({"state": {"running": False, "exit_code": 1}, "facts": FULL}, ["shm-nearly-full", "disk-nearly-full"]),
        ({"state": {"running": False, "exit_code": 137}}, ["exit-sigkill"]),
        ({"state": {"running": False, "exit_code": 137}, "engine": "sglang"}, []),
        ({"state": {"running": False, "exit_code": 137, "oom_killed": True}}, ["container-oom-killed"]),
        (
            {"state": {"running": False, "exit_code": 137, "oom_killed": True}, "engine": "sglang"},
            ["container-oom-killed"],
        ),
    ],
)
def test_the_end_of_a_rank(rank: dict[str, t.Any], expected: list[str]) -> None:
    assert [signature.name for signature, _groups, _evidence, _time in end_of(rank)] == expected


@pytest.mark.parametrize("name", [one.name for one in EXIT_CODES.values()])
def test_an_exit_code_has_a_case(name: str) -> None:
    assert name in samples.found_in("states")
