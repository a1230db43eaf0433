# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reading ends in time and says what it knows, whatever the driver does: hangs, crashes, refuses, is not there."""

from __future__ import annotations

import ctypes.util
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._nvml import Collected, blank_gpu, blank_pair
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import unread
from tests.fakes.nvml import scenario

NOT_REACHED = unread("NotReached")
GOOD = {"code": 0, "error": "", "text": ""}


def test_a_good_driver(tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h20x8")
    assert (record["init"], record["hung_in"]) == (GOOD, "")
    assert record["library"][0].isdigit()
    assert [gpu["index"] for gpu in record["gpus"]] == list(range(8))
    assert set(record["gpus"][0]) == set(blank_gpu(0))
    assert set(record["pairs"][0]) == set(blank_pair(0, 1))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (9, "NVMLError_DriverNotLoaded"),
        (4, "NVMLError_NoPermission"),
        (18, "NVMLError_LibRmVersionMismatch"),
        (999, "NVMLError_Unknown"),
    ],
)
def test_a_driver_that_refuses(code: int, error: str, tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h20x8", f"system nvmlInitWithFlags !{code}")
    assert (record["init"]["code"], record["init"]["error"]) == (code, error)
    assert record["init"]["text"]
    assert record["system"]["nvml_version"] == "13.580.159.04", "the library tells its own version all the same"
    assert record["system"]["driver_version"] == unread(error, code)
    assert (record["gpus"], record["pairs"], record["hung_in"]) == ([], [], "")


def test_the_number_of_gpus_cannot_be_read(tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h20x8", "system nvmlDeviceGetCount_v2 !999")
    assert record["init"] == {"code": 999, "error": "NVMLError_Unknown", "text": "nvmlDeviceGetCount failed"}
    assert record["gpus"] == []


def test_no_gpu_at_all(tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h20x8", "system nvmlDeviceGetCount_v2 0")
    assert (record["init"], record["gpus"], record["pairs"]) == (GOOD, [], [])


def test_the_real_library_path() -> None:
    """No substitute here: where there is no driver the library is not found, and where there is one it is."""
    init = scenario.run({"LD_LIBRARY_PATH": ""})["init"]
    found = ctypes.util.find_library("nvidia-ml") is not None
    assert (init["error"] != "NVMLError_LibraryNotFound") == found, init
    assert found or init["code"] == 12


def test_a_call_of_one_gpu_hangs(tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h200x8", "3 nvmlDeviceGetMigMode hang", timeout_seconds=5)
    assert record["hung_in"] == "nvmlDeviceGetMigMode gpu 3"
    assert record["init"] == GOOD
    stuck, others = record["gpus"][3], [gpu for gpu in record["gpus"] if gpu["index"] != 3]
    assert (stuck["name"], stuck["mig_mode"], stuck["nvlinks"]) == ("NVIDIA H200", NOT_REACHED, NOT_REACHED)
    assert all(gpu["inforom_valid"] is True and len(gpu["nvlinks"]) == 18 for gpu in others)
    assert all(one["nvlink"] == NOT_REACHED for one in record["pairs"])


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("0 nvmlDeviceGetNvLinkState.4 hang", "nvmlDeviceGetNvLinkState gpu 0 link 4"),
        ("0 nvmlDeviceGetP2PStatus.1.2 hang", "nvmlDeviceGetP2PStatus gpu 0 gpu 1"),
        ("system nvmlSystemGetDriverVersion hang", "nvmlSystemGetDriverVersion"),
        ("* nvmlDeviceGetSerial hang", "nvmlDeviceGetSerial gpu 0, nvmlDeviceGetSerial gpu 1"),
    ],
)
def test_what_hangs_is_named(line: str, where: str, tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h200x2_guest", line, timeout_seconds=3)
    assert (record["hung_in"], record["init"]) == (where, GOOD)


def test_the_start_hangs(tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h20x8", "system nvmlInitWithFlags hang", timeout_seconds=2)
    assert record["hung_in"] == "nvmlInit"
    assert record["init"] == {"code": -1, "error": "Timeout", "text": "nvmlInit did not return within 2 s"}
    assert (record["system"]["driver_version"], record["gpus"]) == (NOT_REACHED, [])


def test_the_library_crashes(tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h200x2_guest", "1 nvmlDeviceGetP2PStatus 0", "0 nvmlDeviceGetP2PStatus crash")
    where = "nvmlDeviceGetP2PStatus gpu 0 gpu 1"
    text = f"the reading process ended by signal 6 in {where}"
    assert record["init"] == {"code": -1, "error": "ChildDied", "text": text}
    assert record["gpus"][1]["inforom_valid"] is True, "what was read before counts"
    assert record["pairs"][0]["nvlink"] == NOT_REACHED


def test_nvidia_ml_py_is_missing(tmp_path: pathlib.Path) -> None:
    (tmp_path / "pynvml.py").write_text("raise ModuleNotFoundError('No module named pynvml')\n", encoding="utf-8")
    record = scenario.run({"PYTHONPATH": f"{tmp_path}:{scenario.ROOT / '.cache/collections'}"})
    assert (record["library"], record["init"]["code"], record["init"]["error"]) == ("", -1, "ModuleNotFoundError")
    assert "nvidia-ml-py cannot be imported by /" in record["init"]["text"]


@pytest.mark.parametrize(
    ("status", "how"),
    [(6, "ended by signal 6"), (1 << 8, "ended"), (None, "ended")],
)
def test_how_a_child_died(status: int | None, how: str) -> None:
    collected = Collected()
    collected.died(status)
    assert collected.record["init"]["text"] == f"the reading process {how} in its start"


def test_values_find_their_place() -> None:
    collected = Collected()
    messages: list[list[t.Any]] = [
        ["count", 2],
        ["call", "gpu 1", "nvmlDeviceGetName gpu 1"],
        ["value", ["gpus", 1, "ecc", "volatile_corrected_dram"], 4],
        ["done", "gpu 0"],
    ]
    for message in messages:
        collected.take(message)
    assert collected.record["gpus"][1]["ecc"]["volatile_corrected_dram"] == 4
    assert collected.record["gpus"][0] == blank_gpu(0)
    assert collected.record["pairs"] == [blank_pair(0, 1)]
    assert (collected.where(), collected.ended) == ("nvmlDeviceGetName gpu 1", False)
    collected.take(["end"])
    assert collected.ended
