# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_events import JUDGES
from tests.fakes.rdma.programs import UPTIME
from tests.unit.plugins.module_utils.rdma_samples import node, said

DAY = 86400.0
DOWN = "mlx5_core 0000:13:00.0 ib0: Link down"


def log(*lines: str, ago: float = 60.0, **more: t.Any) -> dict[str, t.Any]:
    said = [{"time": 0.0, "uptime_seconds": UPTIME - ago, "text": line} for line in lines]
    return {"log": {"source": "journal", "problem": "", "complete": True, "dropped": 0, "lines": said, **more}}


@pytest.mark.parametrize(
    ("changes", "expect", "verdict"),
    [
        ({}, {}, "pass"),
        (log(*[DOWN] * 4), {}, "pass"),
        (log(*[DOWN] * 5), {}, "fail"),
        (log(*[DOWN] * 5, ago=DAY + 1), {}, "pass"),
        (log(*[DOWN] * 2), {"flaps_per_day": 2}, "fail"),
        (log(*["mlx5_core 0000:1b:00.0 ens9: Link down"] * 9), {}, "pass"),  # a card that is not for GPUs
        (log(*["ib01: Link down"] * 9), {}, "pass"),  # ib01 is not ib0
        (log(complete=False), {}, "not_verified"),
        (log(*[DOWN] * 5, complete=False), {}, "fail"),
        (log(source="", problem="no journal"), {}, "not_verified"),
    ],
)
def test_flaps(changes: dict[str, t.Any], expect: dict[str, t.Any], verdict: str) -> None:
    assert said(JUDGES["link flaps"](node("h100x8", changes, expect))) == verdict


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (
            "mlx5_core 0000:13:00.0: mlx5_pcie_event:301:(pid 7): Detected insufficient power on the PCIe slot (27W).",
            "warn",
        ),
        ("mlx5_core 0000:13:00.0: Port module event[error]: module 0, Cable error, High Temperature", "warn"),
        (
            "mlx5_core 0000:13:00.0: 126.0 Gb/s available PCIe bandwidth, limited by 16.0 GT/s PCIe x8 link at 0000:12:00.0",
            "warn",
        ),
        ("mlx5_core 0000:13:00.0: poll_health:739: device's health compromised - reached miss count", "warn"),
        ("mlx5_core 0000:13:00.0: Port module event: module 0, Cable plugged", "pass"),
        ("mlx5_core 0000:1b:00.0: Detected insufficient power on the PCIe slot (27W).", "pass"),
    ],
)
def test_warnings(line: str, verdict: str) -> None:
    assert said(JUDGES["driver's warnings"](node("h100x8", log(line), {}))) == verdict


@pytest.mark.parametrize(
    ("profile", "changes", "expect", "verdict"),
    [
        ("h100x8", {}, {}, "pass"),
        ("h100x8", {"counters/grown": None}, {}, "not_verified"),
        ("h100x8", {"counters/grown/mlx5_0~1": {}}, {}, "not_verified"),
        ("h100x8", {"counters/now/refused": {"mlx5_0/1": ["counters"]}}, {}, "not_verified"),
        ("h100x8", {"counters/grown/mlx5_0~1": {"link_downed": 1}}, {}, "fail"),
        ("h100x8", {"counters/grown/mlx5_0~1": {"link_downed": 0, "carrier_changes": 9}}, {}, "warn"),
        ("rxe", {}, {"hcas": ["rxe0"]}, "not_verified"),
    ],
)
def test_counters(profile: str, changes: dict[str, t.Any], expect: dict[str, t.Any], verdict: str) -> None:
    assert said(JUDGES["error counters"](node(profile, changes, expect))) == verdict
