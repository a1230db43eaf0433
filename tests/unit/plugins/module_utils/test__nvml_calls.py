# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of NVML: every leaf, and every older driver, through the real nvidia-ml-py and the fake library."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _nvml_calls
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import not_supported, unread
from tests.fakes.nvml import scenario

OLD = unread("NVMLError_FunctionNotFound", 13)
LOST = unread("NVMLError_GpuIsLost", 15)


def leaf(record: dict[str, t.Any], path: str) -> t.Any:
    """Return the leaf of GPU 0 under a dotted path."""
    found: t.Any = record["gpus"][0]
    for key in path.split("."):
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found


#: The GPU 0 of the recorded guest: what nvidia-smi and nvidia-ml-py said of it on 2026-11-21.
RECORDED = {
    "handle": True,
    "pci": "0000:00:06.0",
    "device_id": "2335",
    "subsystem_id": "18bf10de",
    "name": "NVIDIA H200",
    "uuid": "GPU-00000000-0000-0000-0000-000000000000",
    "serial": "1650000000000",
    "minor_number": 0,
    "module_id": 1,
    "architecture": 9,
    "compute_capability": [9, 0],
    "virtualization_mode": 1,
    "board_part_number": "692-2G520-0282-001",
    "vbios_version": "96.00.A5.00.1A",
    "inforom_version": "G520.0282.02.02",
    "inforom_valid": True,
    "gsp_firmware_mode": {"enabled": 1, "default": 1},
    "gsp_firmware_version": "580.159.04",
    "memory_total_bytes": 143771 << 20,
    "memory_reserved_bytes": 616 << 20,
    "bar1_total_bytes": 274877906944,
    "ecc_mode": [1, 1],
    "remapped_rows": {"correctable": 0, "uncorrectable": 0, "pending": 0, "failure": 0},
    "remap_histogram": {"max": 3072, "high": 0, "partial": 0, "low": 0, "none": 0},
    "repair": {"channel_pending": 0, "tpc_pending": 0},
    "unrepairable_memory": 0,
    "retired_pages_pending": {"unread": "NVMLError_NotSupported", "code": 3},
    "recovery_action": 0,
    "persistence_mode": 1,
    "clock_event_reasons": 1,
    "throttle_ns": {"74": 0, "75": 0, "269": 0, "270": 0, "271": 0},
    "temperature_c": 35,
    "margin_temperature_c": 50,
    "memory_temperature_c": 40,
    "memory_margin_c": 0,
    "power_limit_mw": 700000,
    "power_default_limit_mw": 700000,
    "power_constraints_mw": [200000, 700000],
    "power_enforced_limit_mw": 700000,
    "power_usage_mw": 126208,
    "clock_sm_mhz": 1980,
    "clock_memory_mhz": 3201,
    "max_clock_sm_mhz": 1980,
    "max_clock_memory_mhz": 3201,
    "performance_state": 0,
    "mig_mode": [0, 0],
    "compute_mode": 0,
    "processes": [],
    "pcie_generation": 5,
    "pcie_generation_max": 5,
    "pcie_width": 16,
    "pcie_width_max": 16,
    "pcie_replays": 0,
    "pcie_errors": {"correctable": 0, "non_fatal": 0, "fatal": 0},
    "fabric": {
        "state": 3,
        "status": 0,
        "health_mask": 0,
        "health_summary": 0,
        "cluster_uuid": "00000000-0000-0000-0000-000000000000",
        "clique_id": 0,
    },
}


def test_the_recorded_guest(tmp_path: pathlib.Path) -> None:
    gpu = scenario.read(tmp_path, "h200x2_guest")["gpus"][0]
    counters = {leaf.partition(".")[2] for call in _nvml_calls.ECC_COUNTERS for leaf in call.leaves}
    assert gpu.pop("index") == 0
    assert gpu.pop("ecc") == dict.fromkeys(counters, 0)
    assert set(gpu.pop("sram_ecc").values()) == {0}
    assert len(gpu.pop("nvlinks")) == 18
    assert gpu == RECORDED


@pytest.mark.parametrize("profile", scenario.profiles())
def test_a_healthy_gpu_has_no_leaf_that_nobody_could_look_at(profile: str, tmp_path: pathlib.Path) -> None:
    def marks(value: t.Any) -> t.Iterator[dict[str, t.Any]]:
        if isinstance(value, dict) and "unread" in value:
            yield value
        elif isinstance(value, (dict, list)):
            for one in value.values() if isinstance(value, dict) else value:
                yield from marks(one)

    record = scenario.read(tmp_path, profile)
    assert record["gpus"]
    assert [mark for mark in marks(record) if not not_supported(mark)] == []


CHANGED: list[tuple[str, str, t.Any]] = [
    ("0 nvmlDeviceGetPciInfo_v3.bus 00010000:2B:00.1", "pci", "10000:2b:00.1"),
    ("0 nvmlDeviceGetMemoryErrorCounter.1.0.2 7", "ecc.volatile_uncorrected_dram", 7),
    ("0 nvmlDeviceGetMemoryErrorCounter.1.1.2 7", "ecc.aggregate_uncorrected_dram", 7),
    ("0 nvmlDeviceGetMemoryErrorCounter.0.0.7 7", "ecc.volatile_corrected_sram", 7),
    ("0 nvmlDeviceGetMemoryErrorCounter.0.1.7 20000001", "ecc.aggregate_corrected_sram", 20000001),
    ("0 nvmlDeviceGetSramEccErrorStatus 1 2 3 4 5 6 0 0 0 0 0 1", "sram_ecc.threshold_exceeded", 1),
    ("0 nvmlDeviceGetSramEccErrorStatus 1 2 3 4 5 6 0 0 0 0 0 1", "sram_ecc.aggregate_uncorrected", 3),
    ("0 nvmlDeviceGetSramEccErrorStatus 1 2 3 4 5 6 0 0 0 0 0 1", "sram_ecc.aggregate_corrected", 3),
    ("0 nvmlDeviceGetSramEccErrorStatus 1 2 3 4 5 6 0 0 0 0 0 1", "sram_ecc.volatile_uncorrected", 9),
    ("0 nvmlDeviceGetSramEccErrorStatus 1 2 3 4 5 6 0 0 0 0 0 1", "sram_ecc.volatile_corrected", 6),
    (
        "0 nvmlDeviceGetRemappedRows 1 2 1 1",
        "remapped_rows",
        {"correctable": 1, "uncorrectable": 2, "pending": 1, "failure": 1},
    ),
    (
        "0 nvmlDeviceGetRowRemapperHistogram 3000 40 20 8 4",
        "remap_histogram",
        {"max": 3000, "high": 40, "partial": 20, "low": 8, "none": 4},
    ),
    ("0 nvmlDeviceGetRepairStatus 0 1", "repair", {"channel_pending": 0, "tpc_pending": 1}),
    ("0 nvmlDeviceGetMarginTemperature -3", "margin_temperature_c", -3),
    ("0 nvmlDeviceGetCurrentClocksEventReasons 0x48", "clock_event_reasons", 0x48),
    ("0 field.195 -2 5", "memory_margin_c", -2),
    ("0 field.230 2", "recovery_action", 2),
    ("0 field.230 !3", "recovery_action", unread("NVMLError_NotSupported", 3)),
    ("0 field.230 !999", "recovery_action", unread("NVMLError_Unknown", 999)),
    ("0 field.230 1 9", "recovery_action", unread("ValueType9")),
    ("0 field.230 !31", "recovery_action", unread("NVMLError", 31)),
    ("0 nvmlDeviceGetFieldValues !15", "recovery_action", LOST),
    ("0 nvmlDeviceValidateInforom !14", "inforom_valid", False),
    ("0 nvmlDeviceValidateInforom !3", "inforom_valid", unread("NVMLError_NotSupported", 3)),
    ("0 nvmlDeviceGetName !15", "name", LOST),
    ("0 nvmlDeviceGetName \udcff", "name", unread("UnicodeDecodeError")),
    ("0 nvmlDeviceGetGspFirmwareVersion !3", "gsp_firmware_version", unread("NVMLError_NotSupported", 3)),
    ("0 nvmlDeviceGetPciInfo_v3.bus !999", "device_id", unread("NVMLError_Unknown", 999)),
    ("0 nvmlDeviceGetPciInfo_v3.bus nonsense", "pci", unread("ValueError")),
    (
        "0 nvmlDeviceGetComputeRunningProcesses_v3 77:1024 78",
        "processes",
        [{"pid": 77, "used_bytes": 1024}, {"pid": 78, "used_bytes": unread("NotAvailable")}],
    ),
    (
        "0 nvmlDeviceGetGpuFabricInfoV 2 999 7 5 2 0123456789abcdef0123456789abcdef",
        "fabric",
        {
            "state": 2,
            "status": 999,
            "health_mask": 5,
            "health_summary": 2,
            "cluster_uuid": "01234567-89ab-cdef-0123-456789abcdef",
            "clique_id": 7,
        },
    ),
]


@pytest.mark.parametrize(("line", "path", "expected"), CHANGED)
def test_what_the_driver_says_arrives(line: str, path: str, expected: t.Any, tmp_path: pathlib.Path) -> None:
    assert leaf(scenario.read(tmp_path, "h200x2_guest", line), path) == expected


#: An older driver: the symbols that it lacks, and what is still known.
OLDER: list[tuple[list[str], dict[str, t.Any]]] = [
    (["nvmlDeviceGetTemperatureV"], {"temperature_c": 35}),
    (["nvmlDeviceGetCurrentClocksEventReasons"], {"clock_event_reasons": 1}),
    (["nvmlDeviceGetComputeRunningProcesses_v3"], {"processes": []}),
    (["nvmlDeviceGetMemoryInfo_v2"], {"memory_total_bytes": 143771 << 20, "memory_reserved_bytes": OLD}),
    (["nvmlDeviceGetMarginTemperature"], {"margin_temperature_c": OLD}),
    (["nvmlDeviceGetFieldValues"], {"recovery_action": OLD, "nvlinks.3.speed_mb_s": OLD, "nvlinks.3.state": 1}),
    (["nvmlDeviceValidateInforom"], {"inforom_valid": OLD}),
    (
        ["nvmlDeviceGetGpuFabricInfoV"],
        {"fabric.state": 3, "fabric.health_mask": OLD, "fabric.health_summary": OLD, "fabric.clique_id": 0},
    ),
    (["nvmlDeviceGetGpuFabricInfoV", "nvmlDeviceGetGpuFabricInfo"], {"fabric.state": OLD, "fabric.clique_id": OLD}),
]


@pytest.mark.parametrize(("absent", "expected"), OLDER, ids=",".join)
def test_older_drivers(absent: list[str], expected: dict[str, t.Any], tmp_path: pathlib.Path) -> None:
    record = scenario.read(tmp_path, "h200x2_guest", *(f"absent {symbol}" for symbol in absent))
    assert {path: leaf(record, path) for path in expected} == expected


def test_a_driver_with_the_second_fabric_struct(tmp_path: pathlib.Path) -> None:
    fabric = scenario.read(tmp_path, "h200x2_guest", "* fabric_version 2")["gpus"][0]["fabric"]
    assert (fabric["state"], fabric["health_mask"]) == (3, 0)
    assert fabric["health_summary"] == unread("NVMLError_ArgumentVersionMismatch", 25)
