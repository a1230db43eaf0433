# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _gdr

BOTH = {"dma_buf": True, "peermem": True, "persistent": True}


@pytest.mark.parametrize(
    ("read", "wished", "verdict", "observed"),
    [
        ({}, "any", "pass", "dma_buf, peermem"),
        ({"peermem": False}, "dma_buf", "pass", "dma_buf"),
        ({"peermem": False, "persistent": False}, "any", "pass", "dma_buf"),
        ({"dma_buf": False}, "any", "pass", "peermem"),
        ({"dma_buf": False, "persistent": False}, "any", "warn", "peermem, until the next reboot"),
        ({"peermem": False}, "peermem", "fail", "dma_buf"),
        ({"dma_buf": False, "peermem": False}, "any", "fail", "none"),
        ({"dma_buf": None, "peermem": False}, "any", "not_verified", "flavour or kernel could not be read"),
        ({"dma_buf": None, "peermem": False}, "peermem", "fail", "none"),
    ],
)
def test_ways(read: dict[str, t.Any], wished: str, verdict: str, observed: str) -> None:
    answer = _gdr.judge({**BOTH, **read}, wished)
    assert (answer.verdict, answer.observed) == (verdict, observed)
    assert bool(answer.remedy) == (verdict != "pass")
