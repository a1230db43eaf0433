# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._host_judge_limits import limits_of


def process(pid: int, soft: str | None, ipc_lock: bool = False) -> dict[str, t.Any]:
    return {"pid": pid, "name": "p", "limits": {"memlock": (soft, soft)} if soft else {}, "ipc_lock": ipc_lock}


@pytest.mark.parametrize(
    ("running", "verdict", "observed"),
    [
        ([process(1, "unlimited"), process(2, "64")], "fail", "64 in p (2)"),
        ([process(1, None), process(2, "64")], "fail", "64 in p (2)"),
        ([process(1, "unlimited"), process(2, None)], "not_verified", "the limits of p (2) could not be read"),
        ([process(1, "unlimited"), process(2, "64", ipc_lock=True)], "pass", "enough in 2, 1 of them by CAP_IPC_LOCK"),
        ([process(pid, "64") for pid in range(9)], "fail", ", ".join(f"64 in p ({pid})" for pid in range(5))),
    ],
)
def test_one_bad_process_is_enough(running: list[dict[str, t.Any]], verdict: str, observed: str) -> None:
    (one,) = limits_of({"running": {"x": running}}, {"x": {"memlock": "unlimited"}})
    assert (one["verdict"], one["observed"], one["name"]) == (verdict, observed, "memlock of x")
