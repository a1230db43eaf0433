# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_profile import THRESHOLDS, profile


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gpu": 8}, "unknown gpu. Known are gpus, kind"),
        ({"gpus": "many"}, "expect.gpus: 'many' is no number"),
        ({"gpus": -1}, "expect.gpus"),
        ({"gpus": True}, "expect.gpus"),
        ({"kind": "h2000"}, "expect.kind: 'h2000' is not in the catalogue. Known are v100"),
        ({"driver_version": "580."}, "no version such as"),
        ({"cuda_at_least": "twelve"}, "no version such as"),
        ({"module_flavour": "closed"}, "none of open, proprietary"),
        ({"fabric_manager": "yes"}, "none of auto, required, absent"),
        ({"gdr_path": "rdma"}, "none of any, dma_buf, peermem, none"),
        ({"ecc": "maybe"}, "neither true nor false"),
        ({"since": "yesterday"}, "no time such as"),
        ({"xids": [79]}, "dictionary of Xid and verdict"),
        ({"xids": {79: "ignore"}}, "unknown verdict ignore"),
        ({"thresholds": {"heat": 3}}, "unknown heat. Known are corrected_dram"),
        ({"thresholds": {"corrected_dram": "few"}}, "expect.thresholds.corrected_dram"),
    ],
)
def test_mistakes(given: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:
        profile(given)
    assert message in str(raised.value)


def test_all_mistakes_at_once() -> None:
    with pytest.raises(ValueError) as raised:
        profile({"gpu": 8, "kind": "x", "ecc": "maybe"})
    assert all(part in str(raised.value) for part in ("unknown gpu", "expect.kind", "expect.ecc"))


def test_texts_of_templates_are_taken() -> None:
    read = profile({"gpus": "8", "ecc": "False", "kind": "2329", "power_limit_w": "350.5", "mig": None})
    assert (read.gpus, read.ecc, read.kind, read.power_limit_w, read.mig) == (8, False, "h20-96", 350.5, False)


@pytest.mark.parametrize("since", ["2026-11-22T04:00:00+00:00", "2026-11-22T04:00:00Z", 1795320000, "1795320000"])
def test_since(since: t.Any) -> None:
    assert profile({"since": since}).since == 1795320000


def test_xids_and_thresholds() -> None:
    read = profile({"xids": {"94": "fail"}, "thresholds": {"nvlink_errors": 5}})
    assert read.xids == {94: "fail"}
    assert read.threshold("nvlink_errors") == 5
    assert read.threshold("clock_share") == 0.95


@pytest.mark.parametrize("name", THRESHOLDS)
def test_thresholds_have_a_source_and_a_date(name: str) -> None:
    assert "2026" in THRESHOLDS[name][1]
