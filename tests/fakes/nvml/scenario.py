# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios of the fake NVML: a profile of healthy GPUs and the lines that change it, read by the real nvidia-ml-py."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

from tests.fakes.nvml import build

PROFILES = build.FOLDER / "profiles"
ROOT = build.FOLDER.parents[2]

#: Loads the reader as a module on a node does, and prints what it returns.
READING = """
import json, sys
from ansible_collections.gpufleet.inference.plugins.module_utils._nvml import read_nvml
json.dump(read_nvml(float(sys.argv[1])), sys.stdout)
"""


def profiles() -> list[str]:
    """Return the names of the profiles."""
    return sorted(path.stem for path in PROFILES.glob("*.txt"))


def write(folder: pathlib.Path, profile: str, lines: t.Iterable[str] = ()) -> pathlib.Path:
    """Write the file of a scenario, a profile with more lines, and return its path. Later lines win."""
    path = folder / "scenario.txt"
    text = "".join(f"{line}\n" for line in (f"include {PROFILES / profile}.txt", *lines))
    # A driver may say bytes that are no text: "\udcff" here is the byte 0xff.
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    return path


def environment(scenario: pathlib.Path) -> dict[str, str]:
    """Return the environment in which a new process finds the fake library with this scenario; compiles it if needed."""
    lines = [line.split() for line in scenario.read_text(encoding="utf-8", errors="replace").splitlines()]
    absent = [words[1] for words in lines if words[:1] == ["absent"]]
    return {"LD_LIBRARY_PATH": str(build.library(absent)), "GPUFLEET_FAKE_NVML": str(scenario)}


def read(folder: pathlib.Path, profile: str, *lines: str, timeout_seconds: float = 20.0) -> dict[str, t.Any]:
    """Return what ``read_nvml`` says of the scenario, in a process of its own: the library is found at the start only."""
    return run(environment(write(folder, profile, lines)), timeout_seconds)


def run(extra: dict[str, str], timeout_seconds: float = 20.0) -> dict[str, t.Any]:
    """Return what ``read_nvml`` says in a new process with this environment added."""
    done = subprocess.run(
        [sys.executable, "-c", READING, str(timeout_seconds)],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".cache/collections"), **extra},
        stdout=subprocess.PIPE,
        timeout=timeout_seconds + 30,
        check=True,
    )
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))
