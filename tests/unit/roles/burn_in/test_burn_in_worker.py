# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process of one card: its answers, and what counts as a failing card."""

from __future__ import annotations

import json
import typing as t

import burn_in_worker as worker
import pytest

Steps = t.Generator[None, None, list[str]]


def good(x: int) -> Steps:
    yield
    return [f"figure {x}"]


def bad_before() -> Steps:
    raise RuntimeError("CUDA error: an illegal memory access was encountered")
    yield


def bad_after() -> Steps:
    yield
    raise ValueError("no such dtype")


def conversation(*lines: t.Any) -> list[t.Any]:
    """Return what the worker says to these lines."""
    said: list[t.Any] = []
    functions: dict[str, t.Callable[..., Steps]] = {"good": good, "bad_before": bad_before, "bad_after": bad_after}
    worker.serve(functions, iter([json.dumps(line) for line in lines]), said.append)
    return said


def request(do: str, **arguments: t.Any) -> dict[str, t.Any]:
    return {"do": do, "with": arguments}


def test_it_prepares_waits_and_measures() -> None:
    assert conversation(request("good", x=3), {"go": True}) == [{"ready": True}, {"measurements": ["figure 3"]}]


def test_it_does_not_measure_when_others_cannot() -> None:
    ready, answer = conversation(request("good", x=3), {"go": False})
    assert ready == {"ready": True}
    assert answer == {"problem": "RuntimeError: another card could not take part", "fault": False}


def test_errors_before_and_after_the_start_are_answers() -> None:
    (before,) = conversation(request("bad_before"))
    assert before["fault"] and "illegal memory access" in before["problem"]
    _ready, after = conversation(request("bad_after"), {"go": True})
    assert after == {"problem": "ValueError: no such dtype", "fault": False}


def test_it_goes_on_after_an_error() -> None:
    said = conversation(request("nonsense"), request("good", x=1), {"go": True})
    assert "KeyError" in said[0]["problem"] and said[2] == {"measurements": ["figure 1"]}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("AcceleratorError: CUDA error: uncorrectable ECC error encountered", True),
        ("DistBackendError: NCCL error: unhandled cuda error", True),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling cublasGemmEx", True),
        ("OutOfMemoryError: CUDA out of memory. Tried to allocate 8 GiB", False),
        ("RuntimeError: CUDA error: out of memory", False),
        ("RuntimeError: CUDA error: invalid device ordinal", False),
        ("ModuleNotFoundError: No module named 'torch'", False),
    ],
)
def test_only_errors_of_card_and_driver_are_faults(text: str, fault: bool) -> None:
    assert worker.is_fault(text) is fault
