# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What real cards said, recorded by ``tests.gpu.real``: no false alarm, and the fake library says it in the same form."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge import judge_gpu
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import is_unread
from tests.fakes.nvml import scenario
from tests.gpu.scenario import ROOT

RECORDS = sorted((ROOT / "tests/gpu/recorded").glob("*.json"))
EXPECT = {
    "h200x2_guest": {
        "gpus": 2,
        "kind": "h200-sxm-141",
        "driver_version": "580.159.04",
        "cuda_at_least": "13.0",
        "nvlinks": 18,
        "processes": "none",
        "gdr_path": "any",
    },
    # This guest got its card without NVLink.
    "h200x1_guest": {
        "gpus": 1,
        "kind": "h200-sxm-141",
        "driver_version": "580.159.04",
        "cuda_at_least": "13.0",
        "nvlinks": 0,
        "processes": "none",
        "gdr_path": "any",
    },
}


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_healthy_machine_raises_no_alarm(path: pathlib.Path) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    checks = judge_gpu(record["nvml"], record["host"], EXPECT[path.stem]).checks
    assert len(checks) > 40
    assert [(one["name"], one["verdict"], one["observed"]) for one in checks if one["verdict"] != "pass"] == []


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("expect", "name"),
    [
        ({"gpus": 8}, "GPU count"),
        ({"kind": "h20-96"}, "GPU kind"),
        ({"driver_version": "580.126.20"}, "driver version"),
        ({"cuda_at_least": "13.1"}, "CUDA version"),
        ({"power_limit_w": 500}, "power limit"),
        ({"mig": True}, "MIG mode"),
        ({"conf_compute": True}, "confidential computing"),
    ],
)
def test_another_expectation_fails(path: pathlib.Path, expect: dict[str, t.Any], name: str) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    checks = judge_gpu(record["nvml"], record["host"], {**EXPECT[path.stem], **expect}).checks
    assert {one["name"]: one["verdict"] for one in checks}[name] in ("fail", "warn")


def form(value: t.Any) -> t.Any:
    """Return the form of a reading: its keys and the types of its leaves; an unread leaf is its reason."""
    if is_unread(value):
        return value["unread"]
    if isinstance(value, dict):
        return {key: form(one) for key, one in value.items()}
    if isinstance(value, list):
        return [form(value[0])] if value else []
    return type(value).__name__


def test_the_fake_library_speaks_like_the_real_one(tmp_path: pathlib.Path) -> None:
    real = json.loads((ROOT / "tests/gpu/recorded/h200x2_guest.json").read_text(encoding="utf-8"))["nvml"]
    fake = scenario.read(tmp_path, "h200x2_guest")
    assert form(fake["system"]) == form(real["system"])
    assert form(fake["pairs"]) == form(real["pairs"])
    differing = {
        key: (form(fake["gpus"][0].get(key)), form(value))
        for key, value in real["gpus"][0].items()
        if form(fake["gpus"][0].get(key)) != form(value)
    }
    assert differing == {}


def test_a_card_whose_links_nobody_can_see_is_not_passed() -> None:
    record = json.loads((ROOT / "tests/gpu/recorded/h200x1_guest.json").read_text(encoding="utf-8"))
    expect = {key: value for key, value in EXPECT["h200x1_guest"].items() if key != "nvlinks"}
    verdicts = {one["name"]: one["verdict"] for one in judge_gpu(record["nvml"], record["host"], expect).checks}
    assert {name for name, verdict in verdicts.items() if verdict == "not_verified"} == {
        "NVLinks up",
        "NVLink speed",
        "NVLink errors",
        "fabric state",
    }
