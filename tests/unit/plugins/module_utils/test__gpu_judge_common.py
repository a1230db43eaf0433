# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    Bad,
    Finding,
    Gpu,
    Skip,
    by_gpu,
    numbers,
    per_gpu,
)
from tests.unit.plugins.module_utils.gpu_samples import node, unread


@pytest.mark.parametrize(
    ("version", "parts"),
    [
        ("580.159.04", (580, 159, 4)),
        ("1.39.0", (1, 39, 0)),
        ("580.159.04-1", (580, 159, 4, 1)),
        ("1.18.0~rc.1", (1, 18, 0)),
    ],
)
def test_versions(version: str, parts: tuple[int, ...]) -> None:
    assert numbers(version) == parts


def test_versions_are_no_text() -> None:
    assert numbers("1.39") > numbers("1.4")


@pytest.mark.parametrize(
    ("observed", "many", "said"),
    [
        ({3: "x"}, 8, {"3": "x"}),
        ({0: "x", 1: "x"}, 2, {"all": "x"}),
        ({0: "x", 1: "y"}, 2, {"0": "x", "1": "y"}),
        ({0: "x"}, 1, {"0": "x"}),
        ({1: "x", 0: "x"}, 8, {"0": "x", "1": "x"}),
    ],
)
def test_gpus_are_named(observed: t.Any, many: int, said: t.Any) -> None:
    assert by_gpu(observed, many) == said


def of(values: t.Sequence[t.Any], may_lack: bool = False) -> Finding | Skip:
    """Judge values of two GPUs; 0 is good, 1 fails."""
    return per_gpu(
        node(),
        lambda gpu: values[gpu.index],
        lambda value, gpu: Bad("fail", value, "reset") if value else None,
        may_lack=lambda gpu: may_lack,
    )


def test_worst_counts() -> None:
    judged = of([1, unread()])
    assert isinstance(judged, Finding)
    assert (judged.verdict, judged.action, judged.sick) == ("fail", "reset", (0, 1))


@pytest.mark.parametrize(
    ("code", "may_lack", "verdict"), [(3, False, "not_verified"), (3, True, "pass"), (13, True, "not_verified")]
)
def test_only_what_a_card_may_lack_is_left_out(code: int, may_lack: bool, verdict: str) -> None:
    judged = of([0, unread(code)], may_lack)
    assert isinstance(judged, Finding)
    assert judged.verdict == verdict


def test_all_may_lack_it() -> None:
    assert of([unread(3), unread(3)], may_lack=True) == Skip("these cards do not have it")


def test_no_gpu_is_not_verified() -> None:
    judged = per_gpu(node({"gpus": []}), lambda gpu: 0, lambda value, gpu: None)
    assert isinstance(judged, Finding)
    assert judged.verdict == "not_verified"


def test_reading_a_path() -> None:
    gpu = Gpu(0, {"a": {"b": 1}, "c": unread(3)}, None)
    assert gpu.read("a", "b") == 1
    assert gpu.read("c", "d") == unread(3)
    assert gpu.read("a", "x")["code"] == -1
    assert gpu.number("c") is None


@pytest.mark.parametrize(
    ("mode", "hypervisor", "guest"),
    [(0, True, False), (1, False, True), (2, None, True), (unread(), True, True), (unread(), None, None)],
)
def test_guests(mode: t.Any, hypervisor: t.Any, guest: t.Any) -> None:
    changes = {f"gpus.{index}.virtualization_mode": mode for index in (0, 1)}
    assert node(changes, {"boot.hypervisor": hypervisor}).guest is guest
