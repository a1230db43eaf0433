# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_memory import JUDGES
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, Case, node, said, unread

CASES: list[Case] = [
    ("ECC mode", {"gpus.0.ecc_mode": [1, 0]}, {}, {}, "fail"),
    ("ECC mode", {}, {}, {"ecc": False}, "fail"),
    ("ECC mode", {"gpus.0.ecc_mode": unread(3)}, {}, {"ecc": False}, "fail"),
    ("uncorrected errors in SRAM", {"gpus.0.sram_ecc": unread(13)}, {}, {}, "not_verified"),
    (
        "uncorrected errors in SRAM",
        {"gpus.0.sram_ecc": unread(13), "gpus.0.ecc.volatile_uncorrected_sram": 1},
        {},
        {},
        "fail",
    ),
    ("uncorrected errors in DRAM", {"gpus.0.ecc.aggregate_uncorrected_dram": 1}, {}, {}, "pass"),
    ("uncorrected errors in DRAM", {"gpus.0.ecc.volatile_uncorrected_dram": 1}, {}, {}, "fail"),
    ("corrected memory errors", {"gpus.0.ecc.aggregate_corrected_dram": 20_000_000}, {}, {}, "pass"),
    ("corrected memory errors", {"gpus.0.ecc.aggregate_corrected_dram": 20_000_001}, {}, {}, "warn"),
    ("remapped rows", {"gpus.0.remapped_rows.uncorrectable": 511}, {}, {}, "pass"),
    (
        "remapped rows",
        {"gpus.0.remapped_rows.uncorrectable": 511},
        {},
        {"thresholds": {"remapped_uncorrectable": 5}},
        "fail",
    ),
    ("remapped rows", {"gpus.0.remapped_rows": unread(3)}, {}, {}, "not_verified"),
    ("remapped rows", {"gpus.0.remapped_rows": unread(3), "gpus.0.device_id": "1eb8"}, {}, {}, "pass"),
    ("spare rows", {"gpus.0.remap_histogram.low": 1}, {}, {}, "warn"),
    ("memory repair", {"gpus.0.repair.tpc_pending": 1}, {}, {}, "fail"),
    ("unrepairable memory", {"gpus.0.unrepairable_memory": 1}, {}, {}, "fail"),
    ("retired pages", {}, {}, {}, "skip"),
    ("retired pages", {"gpus.0.retired_pages_pending": unread(999)}, {}, {}, "not_verified"),
]


@pytest.mark.parametrize(("name", "nvml", "host", "expect", "verdict"), CASES)
def test_verdicts(name: str, nvml: t.Any, host: t.Any, expect: dict[str, t.Any], verdict: str) -> None:
    judged = JUDGES[name](node(nvml, host, expect))
    assert said(judged) == verdict, judged


@pytest.mark.parametrize("name", JUDGES)
def test_a_healthy_node_passes_or_is_not_asked(name: str) -> None:
    assert said(JUDGES[name](node(expect=EXPECT))) in ("pass", "skip")
