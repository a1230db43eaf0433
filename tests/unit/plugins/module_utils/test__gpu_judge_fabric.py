# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_fabric import JUDGES
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, Case, node, said, unread

CASES: list[Case] = [
    ("NVLinks up", {"gpus.0.nvlinks.17.state": 0}, {}, {}, "fail"),
    ("NVLinks up", {}, {}, {"nvlinks": 0}, "skip"),
    ("NVLinks up", {"gpus.0.nvlinks": unread()}, {}, {}, "not_verified"),
    ("NVLinks up", {"gpus.0.device_id": "3fff"}, {}, {}, "not_verified"),
    ("NVLinks up", {"gpus.0.device_id": "3fff"}, {}, {"nvlinks": 18}, "pass"),
    ("NVLinks up", {"gpus.0.device_id": "2324"}, {}, {}, "pass"),
    ("NVLink speed", {"gpus.0.nvlinks.3.speed_mb_s": 13281}, {}, {}, "fail"),
    ("NVLink speed", {"gpus.0.nvlinks.3": {"link": 3, "state": 0}}, {}, {}, "pass"),
    ("NVLink errors", {"gpus.0.nvlinks.3.errors.crc": 1}, {}, {}, "warn"),
    ("NVLink errors", {"gpus.0.nvlinks.3.errors.crc": 1}, {}, {"thresholds": {"nvlink_errors": 1}}, "pass"),
    ("NVLink errors", {"gpus.0.nvlinks.3.errors": {"symbol": 99, "effective": 9}}, {}, {}, "pass"),
    ("NVLink errors", {"gpus.0.nvlinks.3.errors": unread()}, {}, {}, "not_verified"),
    ("peers over NVLink", {"pairs.0.nvlink": 3}, {}, {}, "fail"),
    ("peers over NVLink", {"pairs": []}, {}, {}, "not_verified"),
    ("peers over NVLink", {"pairs.0.nvlink": unread()}, {}, {}, "not_verified"),
    ("fabric state", {"gpus.1.fabric.state": 2}, {}, {}, "fail"),
    ("fabric state", {"gpus.1.fabric.state": 0}, {}, {}, "not_verified"),
    ("fabric state", {"gpus.1.fabric": unread(3)}, {}, {}, "not_verified"),
    ("fabric health", {"gpus.1.fabric.health_summary": 1}, {}, {}, "pass"),
    ("fabric health", {"gpus.1.fabric.health_summary": unread(25)}, {}, {}, "pass"),
    ("fabric health", {"gpus.1.fabric.health_summary": 2}, {}, {}, "fail"),
    ("fabric health", {"gpus.1.fabric.health_summary": 3}, {}, {}, "warn"),
    ("fabric health", {"gpus.1.fabric.health_summary": 9}, {}, {}, "fail"),
    ("fabric health", {"gpus.1.fabric.health_mask": 0x4}, {}, {}, "warn"),
    ("fabric health", {"gpus.1.fabric.health_mask": 0x40}, {}, {}, "fail"),
    ("fabric health", {"gpus.1.fabric.health_mask": 0x100}, {}, {}, "pass"),
    ("fabric health", {"gpus.1.fabric.health_mask": 0x400}, {}, {}, "fail"),
    ("fabric health", {"gpus.1.fabric.health_mask": unread()}, {}, {}, "not_verified"),
]


@pytest.mark.parametrize(("name", "nvml", "host", "expect", "verdict"), CASES)
def test_verdicts(name: str, nvml: t.Any, host: t.Any, expect: dict[str, t.Any], verdict: str) -> None:
    judged = JUDGES[name](node(nvml, host, expect))
    assert said(judged) == verdict, judged


@pytest.mark.parametrize("name", JUDGES)
def test_a_healthy_node_passes_or_is_not_asked(name: str) -> None:
    assert said(JUDGES[name](node(expect=EXPECT))) in ("pass", "skip")
