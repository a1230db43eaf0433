# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_card import FABRICS, Card, index
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_catalog import BY_KIND

H100 = BY_KIND["h100-sxm-80"]


@pytest.mark.parametrize(
    ("what", "peak"), [("hbm_copy_mb_s", 3350000.0), ("bf16_gemm_tflops", 989), ("h2d_gb_s", 63.0), ("p2p_gb_s", 449.4)]
)
def test_peaks(what: str, peak: float) -> None:
    assert H100.peak(what) == pytest.approx(peak, abs=0.1)


@pytest.mark.parametrize("what", ["hbm_copy_mb_s", "bf16_gemm_tflops", "h2d_gb_s", "p2p_gb_s", "something"])
def test_unknown_values_have_no_peak(what: str) -> None:
    card: Card = dataclasses.replace(
        H100, memory_bandwidth_gb_s=None, bf16_tflops=None, pcie_generation=None, nvlinks=None
    )
    assert card.peak(what) is None


def test_two_rows_for_one_id_are_an_error() -> None:
    with pytest.raises(ValueError, match="2330 is both h100-sxm-80 and other"):
        index([H100, dataclasses.replace(H100, kind="other")])


def test_fabrics_are_named_once() -> None:
    assert len(set(FABRICS)) == len(FABRICS)
