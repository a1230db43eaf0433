# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the GPUs are read: links, pairs, cards that are gone, and what each of them leaves to the others."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _nvml_calls, _nvml_reader
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import unread
from tests.fakes.nvml import scenario

LOST = unread("NVMLError_GpuIsLost", 15)
UNKNOWN = unread("NVMLError_Unknown", 999)
HOPPER_LINK = {
    "link": 0,
    "state": 1,
    "version": 6,
    "remote_type": 2,
    "speed_mb_s": 26562,
    "errors": {"replay": 0, "recovery": 0, "crc": 0},
}


@pytest.mark.parametrize(("profile", "links"), [("h200x2_guest", 18), ("a100x8", 12), ("b200x8", 18)])
def test_links_end_where_the_driver_says(profile: str, links: int, tmp_path: pathlib.Path) -> None:
    for gpu in scenario.read(tmp_path, profile)["gpus"]:
        assert [one["link"] for one in gpu["nvlinks"]] == list(range(links))


def test_a_link_of_hopper(tmp_path: pathlib.Path) -> None:
    assert scenario.read(tmp_path, "h200x2_guest")["gpus"][1]["nvlinks"][0] == HOPPER_LINK


def test_a_link_of_blackwell_counts_other_errors(tmp_path: pathlib.Path) -> None:
    lines = ["2 field.221.5 9 3", "2 field.214.5 !999"]
    link = scenario.read(tmp_path, "b200x8", *lines)["gpus"][2]["nvlinks"][5]
    new = {leaf.partition(".")[2] for leaf in _nvml_calls.LINK5_FIELDS}
    assert set(link["errors"]) == {"replay", "recovery", "crc"} | new
    assert link["errors"]["replay"] == unread("NVMLError_NotSupported", 3)
    assert (link["errors"]["symbol"], link["errors"]["recovery_failed"]) == (9, UNKNOWN)
    assert (link["version"], link["speed_mb_s"]) == (7, 53125)


LINK_FAULTS: list[tuple[str, int, str, t.Any]] = [
    ("0 nvmlDeviceGetNvLinkState.5 0", 5, "state", 0),
    ("0 nvmlDeviceGetNvLinkState.5 !999", 5, "state", UNKNOWN),
    ("0 nvmlDeviceGetNvLinkState.5 !3", 5, "state", unread("NVMLError_NotSupported", 3)),
    ("0 nvmlDeviceGetNvLinkRemoteDeviceType.17 255", 17, "remote_type", 255),
    ("0 field.164.2 13281", 2, "speed_mb_s", 13281),
    ("0 field.163.2 12 3", 2, "errors", {"replay": 0, "recovery": 0, "crc": 12}),
    ("0 field.161.2 !2", 2, "errors", {"replay": unread("NVMLError_InvalidArgument", 2), "recovery": 0, "crc": 0}),
]


@pytest.mark.parametrize(("line", "link", "key", "expected"), LINK_FAULTS)
def test_links_with_faults(line: str, link: int, key: str, expected: t.Any, tmp_path: pathlib.Path) -> None:
    links = scenario.read(tmp_path, "h200x2_guest", line)["gpus"][0]["nvlinks"]
    assert len(links) == 18
    assert links[link][key] == expected
    assert links[link - 1] == {**HOPPER_LINK, "link": link - 1}


def test_a_card_that_does_not_answer_for_its_first_link(tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h200x2_guest", "0 nvmlDeviceGetNvLinkState !999", "1 links 0")
    assert [gpu["nvlinks"] for gpu in record["gpus"]] == [UNKNOWN, []]


def test_pairs(tmp_path: pathlib.Path) -> None:
    lines = ["1 nvmlDeviceGetP2PStatus.4.2 4", "1 nvmlDeviceGetP2PStatus.5.0 !999"]
    pairs = scenario.read(tmp_path, "h200x8", *lines)["pairs"]
    assert [(one["a"], one["b"]) for one in pairs] == _nvml_reader.pairs(8)
    found = {(one.pop("a"), one.pop("b")): one for one in pairs}
    assert found.pop((1, 4)) == {"nvlink": 4, "read": 0, "write": 0}
    assert found.pop((1, 5)) == {"nvlink": 0, "read": UNKNOWN, "write": 0}
    assert set(map(str, found.values())) == {str({"nvlink": 0, "read": 0, "write": 0})}


def test_a_lost_gpu_is_lost_in_every_leaf_and_hides_no_other(tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h200x8", "3 * !15")
    lost = record["gpus"][3]
    assert (lost["handle"], lost["name"], lost["nvlinks"], lost["recovery_action"]) == (LOST, LOST, LOST, LOST)
    assert (lost["fabric"]["state"], lost["inforom_valid"], lost["ecc"]["volatile_corrected_dram"]) == (
        LOST,
        LOST,
        LOST,
    )
    assert [gpu["name"] for gpu in record["gpus"] if gpu["index"] != 3] == ["NVIDIA H200"] * 7
    unreached = [one for one in record["pairs"] if 3 in (one["a"], one["b"])]
    assert len(unreached) == 7 and all(one["nvlink"] == unread("NoHandle") for one in unreached)
    assert record["hung_in"] == ""


def test_the_system(tmp_path: pathlib.Path) -> None:
    assert scenario.read(tmp_path, "h200x2_guest", "system nvmlSystemGetConfComputeState 1 2 3")["system"] == {
        "driver_version": "580.159.04",
        "nvml_version": "13.580.159.04",
        "cuda_version": 13000,
        "conf_compute": {"environment": 1, "feature": 2, "devtools": 3},
        "conf_compute_ready": 0,
    }


def test_a_mistake_in_reading_is_seen(tmp_path: pathlib.Path) -> None:
    (tmp_path / "pynvml.py").write_text("class NVMLError(Exception): pass\n", encoding="utf-8")
    path = f"{tmp_path}:{scenario.ROOT / '.cache/collections'}"
    found = scenario.run({"PYTHONPATH": path})
    assert (found["init"]["code"], found["init"]["error"], found["library"]) == (-1, "AttributeError", "unknown")
