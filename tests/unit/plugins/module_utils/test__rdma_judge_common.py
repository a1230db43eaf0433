# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _rdma_judge_common as common


def judge(values: dict[str, t.Any]) -> common.Finding:
    return common.over(
        values,
        lambda _name, value: common.Bad("fail", value) if value != 400 else None,
        "400",
        "Do it.",
        "sysfs",
        "good",
    )


@pytest.mark.parametrize(
    ("values", "verdict", "observed"),
    [
        ({"a": 400, "b": 400}, "pass", "good"),
        ({"a": 400, "b": 200}, "fail", {"b": 200}),
        ({"a": 400, "b": None}, "not_verified", {"b": "could not be read"}),
        ({"a": 200, "b": ""}, "fail", {"a": 200, "b": "could not be read"}),
        ({"a": 0}, "fail", {"a": 0}),
        ({}, "not_verified", common.NO_HCA),
    ],
)
def test_over(values: dict[str, t.Any], verdict: str, observed: t.Any) -> None:
    found = judge(values)
    assert (found.verdict, found.observed) == (verdict, observed)
    assert bool(found.remedy) == (verdict != "pass")


def test_what_most_have_comes_first() -> None:
    assert common.counted({"a": 2, "b": 1, "c": 1}) == "1 (2: b, c), 2 (1: a)"
    assert common.together([400.0, 400.0]) == "400.0"
