# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures on the terminal."""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._burn_in_lines import lines


def measured(subject: str, value: float | None, problem: str = "") -> dict[str, t.Any]:
    parameters = {"dtype": "bf16", "size": 8192, "load": "burst"}
    return {
        "node": "n1",
        "kind": "gemm",
        "subject": subject,
        "value": value,
        "unit": "TFLOP/s",
        "parameters": parameters,
        "problem": problem,
    }


def test_one_line_per_figure_and_one_per_problem() -> None:
    found = lines(
        [
            measured("gpu 0", 780.0),
            measured("gpu 1", 790.0),
            measured("gpu 2", None, "it hangs"),
            measured("gpu 3", None, "it hangs"),
        ]
    )
    assert found == [
        "GEMM bf16 8192: 785 TFLOP/s, 780 to 790 (2)",
        "GEMM bf16 8192: it hangs (gpu 2, gpu 3)",
    ]


def test_a_single_value_has_no_range() -> None:
    assert lines([measured("gpu 0", 780.0)]) == ["GEMM bf16 8192: 780 TFLOP/s"]
    assert lines([measured("", None, "no GPU")]) == ["GEMM bf16 8192: no GPU"]
