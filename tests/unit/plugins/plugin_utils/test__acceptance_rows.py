# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows say what physics allows, and agree with the catalogue of GPUs."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_catalog
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_rows import GPU_ROWS, PEAKS, Row
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_thresholds import NAMES, ROWS

#: Data-centre cards that a deployment of DeepSeek runs on.
WANTED = {
    "a100-sxm-80",
    "a800-sxm-80",
    "h100-sxm-80",
    "h800-sxm-80",
    "h200-sxm-141",
    "h20-96",
    "b200-sxm-180",
    "b300-sxm-270",
}


def name(row: Row) -> str:
    return f"{row.kind}-{row.gpu or 'any'}-{row.algorithm}-{dict(row.parameters)}-{row.gpus}-{row.nics}x{row.nic_gbps}"


def floors(row: Row) -> list[float]:
    """Return what this row makes fail below, absolute; a ceiling has none."""
    if kinds.KINDS[row.kind].better == "lower":
        return []
    return [one for one in (row.gross, row.expected and row.expected * row.floor_share) if one is not None]


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_no_floor_is_absurd(row: Row) -> None:
    for floor in floors(row):
        assert 0.3 <= floor / row.peak <= 0.95, f"{floor} of {row.peak} {row.unit}"


def test_the_rule_about_floors_would_find_the_ones_that_others_ship() -> None:
    """AWS asks for 500 GB/s of an H100 whose links end at 450; DCGM asks an H200 for 2.3 of 4800 GB/s."""
    unreachable = Row("p2p", "h100-sxm-80", 500, 450, "GB/s", "", "2026-11-22", 1.0)
    nothing = Row("hbm_copy", "h200-sxm-141", None, 4800, "GB/s", "", "2026-11-22", gross=2.333)
    for row in (unreachable, nothing):
        with pytest.raises(AssertionError):
            test_no_floor_is_absurd(row)


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_every_row_says_where_it_comes_from(row: Row) -> None:
    assert row.source and datetime.date.fromisoformat(row.date) <= datetime.date(2026, 11, 22)
    assert row.kind in kinds.KINDS and row.unit
    assert row.expected is None or row.expected <= row.peak or kinds.KINDS[row.kind].better == "lower"


def test_no_two_rows_claim_the_same_figure() -> None:
    keys = [name(row) for row in ROWS]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("gpu", sorted(WANTED))
@pytest.mark.parametrize("kind", ["gemm", "hbm_copy", "h2d", "d2h", "p2p", "all_reduce"])
def test_every_card_has_a_row_of_each_kind(gpu: str, kind: str) -> None:
    assert any(row.gpu == gpu and row.kind == kind for row in GPU_ROWS)


@pytest.mark.parametrize("gpu", sorted(PEAKS))
def test_peaks_are_those_of_the_catalogue(gpu: str) -> None:
    card, peaks = _gpu_catalog.BY_KIND[gpu], PEAKS[gpu]
    assert (peaks.bf16, peaks.hbm) == (card.bf16_tflops, card.memory_bandwidth_gb_s)
    if card.pcie_generation:
        assert peaks.pcie == pytest.approx(card.peak("h2d_gb_s"), rel=0.01)
    # The catalogue has what NVML tells of a link, protocol included; here is what carries data, as data sheets say it.
    assert card.nvlinks and card.nvlink_mb_s
    assert peaks.nvlink == pytest.approx(card.nvlinks * card.nvlink_mb_s / 1000, rel=0.07)


def test_names_lead_to_rows() -> None:
    assert set(NAMES.values()) == set(PEAKS)
