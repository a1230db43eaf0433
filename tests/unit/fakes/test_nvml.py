# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fake NVML itself: setters, what it refuses, and that it is compiled once."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from tests.fakes.nvml import build, scenario
from tests.lab.shell import LabError

H200 = "from pynvml import *; nvmlInit(); g = nvmlDeviceGetHandleByIndex(1); "


def call(code: str, file: pathlib.Path) -> str:
    """Run code with nvidia-ml-py on the fake library and return what it prints, or the name of NVML's error."""
    attempt = f"{H200}\ntry:\n    {code}\nexcept NVMLError as error:\n    print(type(error).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", attempt],
        env={**os.environ, **scenario.environment(file)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


SETTERS = [
    ("nvmlDeviceSetPersistenceMode(g, 0)", "nvmlDeviceGetPersistenceMode(g)", "0"),
    ("nvmlDeviceSetComputeMode(g, 3)", "nvmlDeviceGetComputeMode(g)", "3"),
    ("nvmlDeviceSetPowerManagementLimit(g, 500000)", "nvmlDeviceGetPowerManagementLimit(g)", "500000"),
    ("nvmlDeviceSetPowerManagementLimit(g, 500000)", "nvmlDeviceGetEnforcedPowerLimit(g)", "500000"),
    ("nvmlDeviceSetEccMode(g, 0)", "nvmlDeviceGetEccMode(g)", "[1, 0]"),
    ("nvmlDeviceSetMigMode(g, 1)", "nvmlDeviceGetMigMode(g)", "[1, 1]"),
]


@pytest.mark.parametrize(("setter", "getter", "said"), SETTERS)
def test_what_was_set_is_said_from_then_on(setter: str, getter: str, said: str, tmp_path: pathlib.Path) -> None:
    file = scenario.write(tmp_path, "h200x2_guest")
    before = call(f"print({getter})", file)
    assert before != said
    assert call(f"{setter}; print({getter})", file) == said
    assert call(f"print({getter})", file) == said, "another process says it too"
    other = getter.replace("(g)", "(nvmlDeviceGetHandleByIndex(0))")
    assert call(f"print({other})", file) == before, "the other GPU is as it was"


def test_locked_clocks_are_recorded(tmp_path: pathlib.Path) -> None:
    file = scenario.write(tmp_path, "h200x2_guest")
    call("nvmlDeviceSetGpuLockedClocks(g, 1200, 1500); nvmlDeviceResetGpuLockedClocks(g)", file)
    call("nvmlDeviceSetMemoryLockedClocks(g, 2201, 3201); nvmlDeviceResetMemoryLockedClocks(g)", file)
    assert (tmp_path / "scenario.txt.set").read_text(encoding="utf-8").splitlines() == [
        "1 nvmlDeviceSetGpuLockedClocks 1200 1500",
        "1 nvmlDeviceResetGpuLockedClocks ",
        "1 nvmlDeviceSetMemoryLockedClocks 2201 3201",
        "1 nvmlDeviceResetMemoryLockedClocks ",
    ]


def test_mig_on_an_a100_waits_for_a_reset(tmp_path: pathlib.Path) -> None:
    file = scenario.write(tmp_path, "a100x8")
    assert call("print(nvmlDeviceSetMigMode(g, 1), nvmlDeviceGetMigMode(g))", file) == "16 [0, 1]"


REFUSED = [
    ("nvmlDeviceSetPowerManagementLimit(g, 700001)", "", "NVMLError_InvalidArgument"),
    ("nvmlDeviceSetPowerManagementLimit(g, 1)", "", "NVMLError_InvalidArgument"),
    ("nvmlDeviceSetPersistenceMode(g, 1)", "1 nvmlDeviceSetPersistenceMode !4", "NVMLError_NoPermission"),
    ("nvmlDeviceSetMigMode(g, 1)", "1 nvmlDeviceGetMigMode !3", "NVMLError_NotSupported"),
    ("nvmlDeviceGetHandleByIndex(2)", "", "NVMLError_InvalidArgument"),
    ("nvmlDeviceGetHandleByUUID('GPU-none')", "", "NVMLError_NotFound"),
    ("nvmlDeviceGetFanSpeed(g)", "", "NVMLError_FunctionNotFound"),
    ("nvmlDeviceGetName(g)", "1 nvmlDeviceGetName " + "x" * 96, "NVMLError_InsufficientSize"),
    ("nvmlShutdown(); nvmlDeviceGetName(g)", "", "NVMLError_Uninitialized"),
]


@pytest.mark.parametrize(("code", "line", "error"), REFUSED)
def test_what_it_refuses(code: str, line: str, error: str, tmp_path: pathlib.Path) -> None:
    assert call(code, scenario.write(tmp_path, "h200x2_guest", [line])) == error


def test_a_gpu_is_found_by_its_names(tmp_path: pathlib.Path) -> None:
    file = scenario.write(tmp_path, "h200x2_guest")
    by_uuid = "nvmlDeviceGetHandleByUUID('GPU-00000000-0000-0000-0000-000000000001')"
    by_bus = "nvmlDeviceGetHandleByPciBusId('00000000:00:07.0')"
    assert call(f"print(nvmlDeviceGetIndex({by_uuid}), nvmlDeviceGetIndex({by_bus}))", file) == "1 1"


def test_a_library_is_compiled_once_per_set_of_symbols() -> None:
    whole, without = build.library(), build.library(["nvmlDeviceGetName"])
    before = (whole / build.SONAME).stat().st_mtime_ns
    assert whole != without
    assert build.library(()) == whole
    assert (whole / build.SONAME).stat().st_mtime_ns == before


def test_without_a_compiler_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(build, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match=r"gcc is missing .*install gcc libc6-dev by hand"):
        build.library()


@pytest.mark.parametrize("profile", scenario.profiles())
def test_profiles_name_their_origin(profile: str) -> None:
    first = (scenario.PROFILES / f"{profile}.txt").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")
