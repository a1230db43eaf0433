# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

SAMPLES = pathlib.Path(__file__).parents[1] / "module_utils/load_samples"


def test_the_module_returns_a_result_and_never_fails(
    run_module: t.Callable[..., dict[str, t.Any]], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "point.json"
    found = run_module("load_point", argv=["cp", str(SAMPLES / "closed_4.json"), str(path)], path=str(path))
    assert not found["failed"] and not found["changed"]
    assert found["result"]["completed"] == 16


def test_what_cannot_be_started_is_a_problem(
    run_module: t.Callable[..., dict[str, t.Any]], tmp_path: pathlib.Path
) -> None:
    found = run_module("load_point", argv=["/nowhere/vllm"], path=str(tmp_path / "point.json"))
    assert not found["failed"]
    assert "is not installed" in found["result"]["problem"]
