# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The field's own tools, where the image or host has them: nvbandwidth for copies, all_reduce_perf of nccl-tests.

A tool that fails or prints something else gives nothing, and PyTorch measures instead.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import typing as t

import burn_in_values as values
from burn_in_values import Measurement, measurement

#: Test cases of nvbandwidth, and the kinds of their figures.
CASES = {
    "host_to_device_memcpy_ce": "h2d",
    "device_to_host_memcpy_ce": "d2h",
    "device_to_device_memcpy_write_ce": "p2p",
}

#: Of a line of nccl-tests: size, then busbw and wrong words in place, counted from its end.
COLUMNS = 13


def has(program: str) -> bool:
    return shutil.which(program) is not None


def output(argv: t.Sequence[str], seconds: float, environment: t.Mapping[str, str] | None = None) -> str:
    """Return what a tool printed, "" when it failed or took too long."""
    try:
        done = subprocess.run(
            list(argv),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
            stdin=subprocess.DEVNULL,
            env=dict(environment or os.environ),
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def nvbandwidth(seconds: float) -> list[Measurement]:
    """Return copies to and from the host and between cards as nvbandwidth measures them: one after another."""
    return bandwidths(output(["nvbandwidth", "--json", "--testcase", *CASES], seconds))


def bandwidths(text: str) -> list[Measurement]:
    """Return the measurements in nvbandwidth's JSON; a test case that did not pass gives none."""
    try:
        said = json.loads(text[text.index("{") :])["nvbandwidth"]
        cases = [one for one in said["testcases"] if one.get("status") == "Passed" and one["name"] in CASES]
    except (ValueError, KeyError, TypeError):
        return []
    tool = f"nvbandwidth {said.get('git_version') or said.get('version') or ''}".strip()
    found = []
    for case in cases:
        kind = CASES[case["name"]]
        # "GPU(row) <- GPU(column)" or "GPU(row) -> GPU(column)"; releases differ.
        backwards = "<-" in str(case.get("bandwidth_description", ""))
        for row, line in enumerate(case["bandwidth_matrix"]):
            for column, word in enumerate(line):
                rate = _rate(word)
                if rate is None:
                    continue
                source, target = (column, row) if backwards else (row, column)
                subject = f"gpu {source} -> gpu {target}" if kind == "p2p" else f"gpu {column}"
                parameters = {"direct": True} if kind == "p2p" else {"pinned": True, "together": 1}
                found.append(measurement(kind, subject, [rate], parameters, tool=tool))
    return found


def _rate(word: t.Any) -> float | None:
    """Return a cell of the matrix, None for the diagonal and for pairs that cannot reach each other."""
    try:
        rate = float(word)
    except (TypeError, ValueError):
        return None
    return rate if rate > 0 else None


def all_reduce_perf(
    ranks: int, sizes: t.Sequence[int], seconds: float, environment: t.Mapping[str, str]
) -> tuple[str, dict[int, float], int]:
    """Return (tool, {bytes: busbw GB/s}, wrong words) of nccl-tests in one process with ``ranks`` cards."""
    argv = [
        "all_reduce_perf",
        "-b",
        str(min(sizes)),
        "-e",
        str(max(sizes)),
        "-f",
        "4",
        "-g",
        str(ranks),
        "-n",
        "10",
        "-w",
        "3",
    ]
    return nccl_tests(output(argv, seconds, environment))


def nccl_tests(text: str) -> tuple[str, dict[int, float], int]:
    """Return (tool, {bytes: busbw GB/s in place}, wrong words in place) in the table of nccl-tests."""
    version = re.search(r"nccl-tests version (\S+)", text)
    rates: dict[int, float] = {}
    wrong = 0
    for line in text.splitlines():
        words = line.split()
        if len(words) != COLUMNS or not words[0].isdigit():
            continue
        rates[int(words[0])] = values.rounded(float(words[11]))
        wrong += int(words[12]) if words[12].isdigit() else 0
    return f"all_reduce_perf {version.group(1) if version else ''}".strip(), rates, wrong
