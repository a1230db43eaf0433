# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_statements as statements
from tests.unit.plugins.plugin_utils import acceptance_samples as samples


def of(run: dict[str, t.Any], node: str, name: str) -> dict[str, t.Any]:
    (found,) = (one for one in samples.document(run)["statements"] if (one["node"], one["name"]) == (node, name))
    return dict(found)


def test_many_values_that_passed_are_one_line() -> None:
    found = of(samples.healthy(), "gpu-a01", "GPU to GPU 1 GiB")
    assert (found["verdict"], found["observed"], found["remedy"]) == ("pass", "56 values, 389.4 to 392.6 GB/s", "")


def test_what_failed_is_named_and_counted() -> None:
    found = of(samples.bad(), "gpu-a02", "GEMM bf16 8192")
    assert (found["verdict"], found["observed"]) == ("fail", "1 of 8: gpu 5: 114.0 TFLOP/s")
    assert found["expected"] == "at least 128.0 TFLOP/s" and found["remedy"]
    pairs = of(samples.bad(), "gpu-a01", "GPU to GPU 1 GiB")["observed"]
    assert pairs.startswith("14 of 56: ") and pairs.endswith("more")


def test_figures_without_a_norm_are_told_by_their_spread() -> None:
    checks: list[dict[str, t.Any]] = [
        {
            "kind": "temperature",
            "subject": f"gpu {top}",
            "peer": "",
            "value": top,
            "unit": "degC",
            "observed": f"{top} °C; its limit is not known",
        }
        for top in (58, 66, 61)
    ]
    assert statements.together(checks) == "3 values, 58 to 66 °C; its limit is not known"
    checks[0]["observed"] = "58 °C; nobody knows"
    assert statements.together(checks).startswith("gpu 58: 58 °C; nobody knows; gpu 66: 66 °C")
    checks[0] |= {"value": None, "observed": "unread; its limit is not known"}
    assert statements.together(checks).startswith("gpu 58: unread")


def test_peers_are_named() -> None:
    found = of(samples.bad(), "gpu-a01", "RDMA write bandwidth 8 MiB")
    assert found["observed"] == "1 of 8: to gpu-a03 mlx5_2 -> mlx5_2: 196.2 Gb/s"


def test_no_verdict_gets_better_by_being_joined() -> None:
    document = samples.document(samples.bad(), samples.document(samples.healthy()))
    for name in [*document["fleet"], ""]:
        checks: list[str] = [one["verdict"] for one in document["checks"] if one["node"] == name]
        joined = [one["verdict"] for one in document["statements"] if one["node"] == name]
        assert set(joined) <= set(checks)
        assert max(map(statements.VERDICTS.index, joined)) == max(map(statements.VERDICTS.index, checks))


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("a\nb\x1b[31m", "a b?[31m"), ({"b": 1, "a": "ü"}, '{"a": "ü", "b": 1}'), ([1], "[1]"), (0, "0")],
)
def test_text_is_one_printable_line(value: t.Any, text: str) -> None:
    assert statements.text(value) == text


@pytest.mark.parametrize(
    ("threshold", "echo", "kept"),
    [
        ("fail", "fail", False),
        ("fail", "warn", False),
        ("pass", "fail", True),
        ("not_verified", "warn", True),
        ("warn", "fail", True),
    ],
)
def test_what_failed_is_not_told_again_and_nothing_else_is_hidden(threshold: str, echo: str, kept: bool) -> None:
    checks = [
        {"node": "n1", "title": "GEMM", "origin": "threshold", "verdict": threshold},
        {"node": "n1", "title": "GEMM", "origin": "fleet", "verdict": echo},
        {"node": "n2", "title": "GEMM", "origin": "last run", "verdict": echo},
        {"node": "", "title": "GEMM", "origin": "fleet", "verdict": "pass"},
    ]
    assert statements.without_echoes(checks) == ([*checks] if kept else [checks[0], *checks[2:]])
