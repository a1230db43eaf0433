# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How figures are counted, and the form of measurements."""

from __future__ import annotations

import burn_in_values as values
import pytest


@pytest.mark.parametrize(
    ("rate", "wanted"),
    [
        # 2 × 8192³ operations in 1.4 ms.
        (values.tflops(8192, 1.4e-3), 785.4),
        # 4 GiB read and written in 2 ms, as on H200.
        (values.copied_gb_s(4 << 30, 2e-3), 4294.97),
        (values.moved_gb_s(512 << 20, 0.01), 53.687),
        # Two cards: the factor is 1. Eight: 14/8.
        (values.busbw_gb_s(8 << 30, 0.0246, 2), 349.18),
        (values.busbw_gb_s(8 << 30, 0.0246, 8), 349.18 * 1.75),
    ],
)
def test_rates(rate: float, wanted: float) -> None:
    assert rate == pytest.approx(wanted, rel=1e-3)


def test_a_measurement_is_the_median_of_its_samples() -> None:
    one = values.measurement("gemm", "gpu 0", [700.123456, 790.0, 780.0], {"dtype": "bf16"}, tool="torch")
    assert (one["value"], one["unit"], one["tool"], one["problem"]) == (780.0, "TFLOP/s", "torch", "")
    assert one["samples"] == [700.12, 790.0, 780.0]


def test_nothing_measured_has_a_reason_and_no_value() -> None:
    one = values.missing("h2d", "gpu 3", "it hangs", True, together=1)
    assert (one["value"], one["samples"], one["problem"]) == (None, [], "it hangs")
    assert one["parameters"] == {"together": 1, "fault": True}
    assert "fault" not in values.missing("h2d", "gpu 3", "no pinned memory")["parameters"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("0-3,8\n", {0, 1, 2, 3, 8}), ("5", {5}), ("", set()), ("0-1,64-65", {0, 1, 64, 65})],
)
def test_cores(text: str, wanted: set[int]) -> None:
    assert values.cores(text) == wanted


@pytest.mark.parametrize(
    ("sums", "odd"),
    [
        ("aaaa", []),
        ("aaba", ["gpu 2"]),
        ("abca", ["gpu 0", "gpu 1", "gpu 2", "gpu 3"]),
        ("ab", ["gpu 0", "gpu 1"]),
        ("a", []),
        ("", []),
    ],
)
def test_the_card_that_computes_otherwise_is_named_and_without_a_majority_all_are(sums: str, odd: list[str]) -> None:
    assert values.odd_ones({f"gpu {index}": one for index, one in enumerate(sums)}) == odd
