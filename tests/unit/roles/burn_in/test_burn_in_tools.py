# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nvbandwidth and nccl-tests print."""

from __future__ import annotations

import json
import typing as t

import burn_in_tools as tools
import pytest


def case(name: str, matrix: list[list[str]], description: str = "", status: str = "Passed") -> dict[str, t.Any]:
    """Return a test case in the form of nvbandwidth's json_output.cpp: numbers are words, N/A is no pair."""
    return {"name": name, "status": status, "bandwidth_description": description, "bandwidth_matrix": matrix}


def said(*cases: dict[str, t.Any]) -> str:
    return json.dumps({"nvbandwidth": {"git_version": "v0.8", "testcases": list(cases)}})


def test_copies_to_and_from_the_host() -> None:
    text = said(
        case("host_to_device_memcpy_ce", [["55.39", "55.31"]]), case("device_to_host_memcpy_ce", [["55.2", "54.9"]])
    )
    found = tools.bandwidths(text)
    assert [(one["kind"], one["subject"], one["value"], one["tool"]) for one in found] == [
        ("h2d", "gpu 0", 55.39, "nvbandwidth v0.8"),
        ("h2d", "gpu 1", 55.31, "nvbandwidth v0.8"),
        ("d2h", "gpu 0", 55.2, "nvbandwidth v0.8"),
        ("d2h", "gpu 1", 54.9, "nvbandwidth v0.8"),
    ]
    assert found[0]["parameters"]["together"] == 1


@pytest.mark.parametrize(
    ("arrow", "first"),
    [("memcpy CE GPU(row) <- GPU(column)", "gpu 1 -> gpu 0"), ("GPU(row) -> GPU(column)", "gpu 0 -> gpu 1")],
)
def test_the_direction_between_cards_is_the_one_that_is_described(arrow: str, first: str) -> None:
    text = said(case("device_to_device_memcpy_write_ce", [["N/A", "394.1"], ["0.00", "N/A"]], arrow))
    assert [(one["kind"], one["subject"], one["value"]) for one in tools.bandwidths(text)] == [("p2p", first, 394.1)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CUDA error",
        '{"nvbandwidth": {"error": "no devices"}}',
        said(case("host_to_device_memcpy_ce", [["1"]], status="Waived")),
        said(case("all_to_host_memcpy_ce", [["1"]])),
    ],
)
def test_what_did_not_pass_gives_nothing(text: str) -> None:
    assert tools.bandwidths(text) == []


#: Lines of NVIDIA/nccl-tests issue 232 (2 × H100), with the version line of release 2.17.
TABLE = """\
# nccl-tests version 2.17.1 nccl-headers=22807 nccl-library=22807
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
     2097152        524288     float     sum      -1    113.2   18.53   18.53      0    93.35   22.46   22.46      0
     4194304       1048576     float     sum      -1    154.4   27.16   27.16      0    153.3   27.37   27.37      3
    16777216       4194304     float     sum      -1    420.5   39.90   39.90    N/A    419.9   39.95   39.95    N/A
# Avg bus bandwidth    : 31.2
"""


def test_the_table_of_nccl_tests() -> None:
    assert tools.nccl_tests(TABLE) == ("all_reduce_perf 2.17.1", {2097152: 22.46, 4194304: 27.37, 16777216: 39.95}, 3)
    assert tools.nccl_tests("") == ("all_reduce_perf", {}, 0)


def test_a_tool_that_fails_hangs_or_is_missing_prints_nothing() -> None:
    assert tools.output(["sh", "-c", "echo 1; exit 3"], 5) == ""
    assert tools.output(["sleep", "60"], 0.05) == ""
    assert tools.output(["/nowhere/nvbandwidth"], 5) == ""
    assert tools.output(["echo", "1"], 5) == "1\n"
