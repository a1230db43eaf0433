# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the acceptance of two guests must hold."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from tests.lab import paths as lab_paths
from tests.lab.shell import LabError
from tests.vm import verbs


def figure(kind: str, value: float | None, unit: str) -> dict[str, t.Any]:
    return {"kind": kind, "node": "n2", "peer": "n1", "value": value, "unit": unit}


BANDWIDTH, LATENCY = figure("rdma_write_bw", 0.21, "Gb/s"), figure("rdma_write_lat", 900.0, "us")


def test_both_figures_are_told(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab_paths.write_json(tmp_path / "run.json", {"measurements": [BANDWIDTH, LATENCY]})
    verbs.speeds(tmp_path / "run.json")
    assert "rdma_write_bw: 0.21 Gb/s" in capsys.readouterr().out


@pytest.mark.parametrize(
    "measured",
    [
        [],
        [BANDWIDTH],
        [BANDWIDTH | {"value": None}, LATENCY],
        [BANDWIDTH | {"peer": "n2"}, LATENCY],
        [LATENCY, LATENCY],
    ],
)
def test_a_missing_figure_fails(measured: list[dict[str, t.Any]], tmp_path: pathlib.Path) -> None:
    lab_paths.write_json(tmp_path / "run.json", {"measurements": measured})
    with pytest.raises(LabError, match="rdma_write_"):
        verbs.speeds(tmp_path / "run.json")


def test_no_acceptance_at_all_fails(tmp_path: pathlib.Path) -> None:
    with pytest.raises(LabError, match="rdma_write_bw"):
        verbs.speeds(tmp_path / "none.json")


def check(name: str, verdict: str) -> dict[str, str]:
    return {"name": name, "verdict": verdict}


@pytest.mark.parametrize(
    ("checks", "wanted", "good"),
    [
        ([check("fabric", "pass"), check("GEMM", "fail")], {"fabric": "pass"}, True),
        ([check("fabric", "not_verified"), check("fabric: rxe0 of n2", "fail")], {"fabric: rxe0 of n2": "fail"}, True),
        ([check("fabric: rxe0 of n1", "fail")], {"fabric: rxe0 of n2": "fail"}, False),
        ([], {"fabric": "pass"}, False),
    ],
)
def test_who_is_to_blame(tmp_path: pathlib.Path, checks: list[t.Any], wanted: dict[str, str], good: bool) -> None:
    lab_paths.write_json(tmp_path / "run.json", {"checks": checks})
    if good:
        verbs.blamed(tmp_path / "run.json", wanted)
        return
    with pytest.raises(LabError, match="the burn-in says"):
        verbs.blamed(tmp_path / "run.json", wanted)
