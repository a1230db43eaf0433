# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of NVML per GPU, as a table: which C function, which leaves of a GPU's record it fills, how it is called.

The functions get nvidia-ml-py's module ``nvml`` and a device handle, return plain values, and raise what nvidia-ml-py
raises. Traps that they avoid were found on two H200 with driver 580.159.04, 2026-11-21.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ctypes
import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._unread import unread

#: nvml.h: error types, counters and memory locations of nvmlDeviceGetMemoryErrorCounter, clocks of nvmlDeviceGetClockInfo.
CORRECTED, UNCORRECTED = 0, 1
VOLATILE, AGGREGATE = 0, 1
DRAM, SRAM = 2, 7
CLOCK_SM, CLOCK_MEMORY = 1, 2

#: nvml.h: the symbol is missing, and the library does not know this version of a struct.
FUNCTION_NOT_FOUND = 13
VERSION_MISMATCH = 25

Reader = t.Callable[[t.Any, t.Any], t.Any]


@dataclasses.dataclass(frozen=True)
class Call:
    """One question: the C symbol, the leaves it fills (dots go down), and the function, with one value per leaf."""

    symbol: str
    leaves: tuple[str, ...]
    read: Reader


def plain(symbol: str, leaf: str) -> Call:
    """A function of nvidia-ml-py that takes a handle and returns the value itself."""
    return Call(symbol, (leaf,), lambda nvml, gpu: getattr(nvml, symbol)(gpu))


def clock(symbol: str, leaf: str, which: int) -> Call:
    """A clock in MHz."""
    return Call(symbol, (leaf,), lambda nvml, gpu: getattr(nvml, symbol)(gpu, which))


def older(nvml: t.Any, *ways: t.Callable[[], t.Any]) -> t.Any:
    """Return what the first way says that this driver knows; an older driver lacks the symbol or the struct."""
    for way in ways[:-1]:
        try:
            return way()
        except nvml.NVMLError as error:
            if error.value not in (FUNCTION_NOT_FOUND, VERSION_MISMATCH):
                raise
    return ways[-1]()


def missing(name: str = "NVMLError_FunctionNotFound", code: int = FUNCTION_NOT_FOUND) -> dict[str, t.Any]:
    """The mark of what this driver's struct does not hold yet."""
    return unread(name, code)


# --- identity --------------------------------------------------------------------------------------------------------


def pci(nvml: t.Any, gpu: t.Any) -> tuple[str, str, str]:
    """Return the address as sysfs writes it, and the device and subsystem ids (nvml.h: device id high, vendor low)."""
    info = nvml.nvmlDeviceGetPciInfo_v3(gpu)
    domain, _colon, rest = text(info.busId).lower().partition(":")
    return f"{int(domain, 16):04x}:{rest}", f"{info.pciDeviceId >> 16:04x}", f"{info.pciSubSystemId:08x}"


def text(value: t.Any) -> str:
    """Return a string; nvidia-ml-py leaves some as bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def inforom_valid(nvml: t.Any, gpu: t.Any) -> bool:
    """Return whether the InfoROM's checksums are right; a corrupted one (14) is an answer, not a failure to look."""
    try:
        nvml.nvmlDeviceValidateInforom(gpu)
    except nvml.NVMLError as error:
        if error.value != nvml.NVML_ERROR_CORRUPTED_INFOROM:
            raise
        return False
    return True


def gsp_mode(nvml: t.Any, gpu: t.Any) -> list[int]:
    """Own arguments: nvidia-ml-py's default ones are shared by all calls of the process."""
    return list(nvml.nvmlDeviceGetGspFirmwareMode(gpu, ctypes.c_uint(), ctypes.c_uint()))


# --- memory ----------------------------------------------------------------------------------------------------------


def memory(nvml: t.Any, gpu: t.Any) -> tuple[t.Any, t.Any]:
    """Return total and reserved bytes; only the second struct tells what the driver keeps for itself."""

    def second() -> tuple[t.Any, t.Any]:
        info = nvml.nvmlDeviceGetMemoryInfo(gpu, version=nvml.nvmlMemory_v2)
        return info.total, info.reserved

    return t.cast(
        "tuple[t.Any, t.Any]", older(nvml, second, lambda: (nvml.nvmlDeviceGetMemoryInfo(gpu).total, missing()))
    )


def ecc_counter(kind: int, counter: int, location: int) -> Reader:
    return lambda nvml, gpu: nvml.nvmlDeviceGetMemoryErrorCounter(gpu, kind, counter, location)


def sram_ecc(nvml: t.Any, gpu: t.Any) -> tuple[int, int, int, int, int]:
    """Return whether the threshold is exceeded, then corrected and uncorrected counts (parity and SEC-DED together)."""
    status = nvml.c_nvmlEccSramErrorStatus_v1_t()
    nvml.nvmlDeviceGetSramEccErrorStatus(gpu, ctypes.byref(status))
    return (
        status.bThresholdExceeded,
        status.volatileCor,
        status.aggregateCor,
        status.volatileUncParity + status.volatileUncSecDed,
        status.aggregateUncParity + status.aggregateUncSecDed,
    )


def histogram(nvml: t.Any, gpu: t.Any) -> tuple[int, ...]:
    banks = nvml.nvmlDeviceGetRowRemapperHistogram(gpu)
    return banks.max, banks.high, banks.partial, banks.low, banks.none


def processes(nvml: t.Any, gpu: t.Any) -> list[dict[str, t.Any]]:
    """Return the compute processes. NVML sees the process ids of the host, also from within a container."""
    found = older(
        nvml,
        lambda: nvml.nvmlDeviceGetComputeRunningProcesses_v3(gpu),
        lambda: nvml.nvmlDeviceGetComputeRunningProcesses_v2(gpu),
    )
    return [
        {"pid": one.pid, "used_bytes": unread("NotAvailable") if one.usedGpuMemory is None else one.usedGpuMemory}
        for one in found
    ]


# --- state -----------------------------------------------------------------------------------------------------------


def temperature(nvml: t.Any, gpu: t.Any) -> t.Any:
    return older(nvml, lambda: nvml.nvmlDeviceGetTemperatureV(gpu, 0), lambda: nvml.nvmlDeviceGetTemperature(gpu, 0))


def clock_event_reasons(nvml: t.Any, gpu: t.Any) -> t.Any:
    return older(
        nvml,
        lambda: nvml.nvmlDeviceGetCurrentClocksEventReasons(gpu),
        lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu),
    )


def fabric(nvml: t.Any, gpu: t.Any) -> tuple[t.Any, ...]:
    """Return state, status, health mask, health summary, cluster UUID, clique; older drivers have fewer of them."""

    def versioned(struct: t.Callable[[], t.Any]) -> tuple[t.Any, ...]:
        info = struct()
        nvml.nvmlDeviceGetGpuFabricInfoV(gpu, ctypes.byref(info))
        summary = getattr(info, "healthSummary", missing("NVMLError_ArgumentVersionMismatch", VERSION_MISMATCH))
        return info.state, info.status, info.healthMask, summary, uuid(info.clusterUuid), info.cliqueId

    def first() -> tuple[t.Any, ...]:
        info = nvml.c_nvmlGpuFabricInfo_t()
        nvml.nvmlDeviceGetGpuFabricInfo(gpu, ctypes.byref(info))
        return info.state, info.status, missing(), missing(), uuid(info.clusterUuid), info.cliqueId

    third, second = nvml.c_nvmlGpuFabricInfo_v3_t, nvml.c_nvmlGpuFabricInfo_v2_t
    return t.cast("tuple[t.Any, ...]", older(nvml, lambda: versioned(third), lambda: versioned(second), first))


def uuid(raw: t.Sequence[int]) -> str:
    """Return sixteen bytes as nvidia-smi writes a UUID."""
    digits = bytes(raw).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


# --- the tables ------------------------------------------------------------------------------------------------------

ECC_COUNTERS = tuple(
    Call(
        "nvmlDeviceGetMemoryErrorCounter",
        (f"ecc.{counter_name}_{kind_name}_{location_name}",),
        ecc_counter(kind, counter, location),
    )
    for location, location_name in ((DRAM, "dram"), (SRAM, "sram"))
    for kind, kind_name in ((UNCORRECTED, "uncorrected"), (CORRECTED, "corrected"))
    for counter, counter_name in ((VOLATILE, "volatile"), (AGGREGATE, "aggregate"))
)

#: In the order of a reader's interest: when a later call hangs, the GPU's name and address are known.
GPU_CALLS: tuple[Call, ...] = (
    Call("nvmlDeviceGetPciInfo_v3", ("pci", "device_id", "subsystem_id"), pci),
    plain("nvmlDeviceGetName", "name"),
    plain("nvmlDeviceGetUUID", "uuid"),
    plain("nvmlDeviceGetSerial", "serial"),
    plain("nvmlDeviceGetMinorNumber", "minor_number"),
    Call("nvmlDeviceGetModuleId", ("module_id",), lambda nvml, gpu: nvml.nvmlDeviceGetModuleId(gpu, ctypes.c_uint())),
    plain("nvmlDeviceGetArchitecture", "architecture"),
    Call(
        "nvmlDeviceGetCudaComputeCapability",
        ("compute_capability",),
        lambda nvml, gpu: list(nvml.nvmlDeviceGetCudaComputeCapability(gpu)),
    ),
    plain("nvmlDeviceGetVirtualizationMode", "virtualization_mode"),
    plain("nvmlDeviceGetBoardPartNumber", "board_part_number"),
    plain("nvmlDeviceGetVbiosVersion", "vbios_version"),
    plain("nvmlDeviceGetInforomImageVersion", "inforom_version"),
    Call("nvmlDeviceGetGspFirmwareMode", ("gsp_firmware_mode.enabled", "gsp_firmware_mode.default"), gsp_mode),
    Call(
        "nvmlDeviceGetGspFirmwareVersion",
        ("gsp_firmware_version",),
        lambda nvml, gpu: text(nvml.nvmlDeviceGetGspFirmwareVersion(gpu)),
    ),
    Call("nvmlDeviceGetMemoryInfo_v2", ("memory_total_bytes", "memory_reserved_bytes"), memory),
    Call(
        "nvmlDeviceGetBAR1MemoryInfo",
        ("bar1_total_bytes",),
        lambda nvml, gpu: nvml.nvmlDeviceGetBAR1MemoryInfo(gpu).bar1Total,
    ),
    plain("nvmlDeviceGetEccMode", "ecc_mode"),
    *ECC_COUNTERS,
    Call(
        "nvmlDeviceGetSramEccErrorStatus",
        (
            "sram_ecc.threshold_exceeded",
            "sram_ecc.volatile_corrected",
            "sram_ecc.aggregate_corrected",
            "sram_ecc.volatile_uncorrected",
            "sram_ecc.aggregate_uncorrected",
        ),
        sram_ecc,
    ),
    Call(
        "nvmlDeviceGetRemappedRows",
        tuple(f"remapped_rows.{one}" for one in ("correctable", "uncorrectable", "pending", "failure")),
        lambda nvml, gpu: nvml.nvmlDeviceGetRemappedRows(gpu),
    ),
    Call(
        "nvmlDeviceGetRowRemapperHistogram",
        tuple(f"remap_histogram.{one}" for one in ("max", "high", "partial", "low", "none")),
        histogram,
    ),
    Call(
        "nvmlDeviceGetRepairStatus",
        ("repair.channel_pending", "repair.tpc_pending"),
        lambda nvml, gpu: nvml.nvmlDeviceGetRepairStatus(gpu),
    ),
    plain("nvmlDeviceGetUnrepairableMemoryFlag_v1", "unrepairable_memory"),
    plain("nvmlDeviceGetRetiredPagesPendingStatus", "retired_pages_pending"),
    plain("nvmlDeviceGetPersistenceMode", "persistence_mode"),
    plain("nvmlDeviceGetComputeMode", "compute_mode"),
    plain("nvmlDeviceGetMigMode", "mig_mode"),
    Call("nvmlDeviceGetCurrentClocksEventReasons", ("clock_event_reasons",), clock_event_reasons),
    Call("nvmlDeviceGetTemperatureV", ("temperature_c",), temperature),
    plain("nvmlDeviceGetMarginTemperature", "margin_temperature_c"),
    plain("nvmlDeviceGetPowerManagementLimit", "power_limit_mw"),
    plain("nvmlDeviceGetPowerManagementDefaultLimit", "power_default_limit_mw"),
    plain("nvmlDeviceGetPowerManagementLimitConstraints", "power_constraints_mw"),
    plain("nvmlDeviceGetEnforcedPowerLimit", "power_enforced_limit_mw"),
    plain("nvmlDeviceGetPowerUsage", "power_usage_mw"),
    plain("nvmlDeviceGetPerformanceState", "performance_state"),
    clock("nvmlDeviceGetClockInfo", "clock_sm_mhz", CLOCK_SM),
    clock("nvmlDeviceGetClockInfo", "clock_memory_mhz", CLOCK_MEMORY),
    clock("nvmlDeviceGetMaxClockInfo", "max_clock_sm_mhz", CLOCK_SM),
    clock("nvmlDeviceGetMaxClockInfo", "max_clock_memory_mhz", CLOCK_MEMORY),
    plain("nvmlDeviceGetCurrPcieLinkGeneration", "pcie_generation"),
    plain("nvmlDeviceGetMaxPcieLinkGeneration", "pcie_generation_max"),
    plain("nvmlDeviceGetCurrPcieLinkWidth", "pcie_width"),
    plain("nvmlDeviceGetMaxPcieLinkWidth", "pcie_width_max"),
    plain("nvmlDeviceGetPcieReplayCounter", "pcie_replays"),
    Call("nvmlDeviceGetComputeRunningProcesses_v3", ("processes",), processes),
    Call(
        "nvmlDeviceGetGpuFabricInfoV",
        tuple(
            f"fabric.{one}" for one in ("state", "status", "health_mask", "health_summary", "cluster_uuid", "clique_id")
        ),
        fabric,
    ),
)

#: Last, because it takes longest: 70 ms on an H200, and the driver lets no two GPUs do it at once.
INFOROM_CALL = Call("nvmlDeviceValidateInforom", ("inforom_valid",), inforom_valid)

#: Leaf of a GPU's record -> field id (NVML_FI_*, nvml.h) of nvmlDeviceGetFieldValues. Throttle counters are in ns.
FIELDS: dict[str, int] = {
    "recovery_action": 230,
    "memory_temperature_c": 82,
    "memory_margin_c": 195,
    "throttle_ns.74": 74,
    "throttle_ns.75": 75,
    "throttle_ns.269": 269,
    "throttle_ns.270": 270,
    "throttle_ns.271": 271,
    "pcie_errors.correctable": 173,
    "pcie_errors.non_fatal": 179,
    "pcie_errors.fatal": 180,
}

#: Per link, asked with the link as scope.
LINK_FIELDS: dict[str, int] = {
    "speed_mb_s": 164,
    "errors.replay": 161,
    "errors.recovery": 162,
    "errors.crc": 163,
}

#: Per link from NVLink 5 on; a link whose card does not count them has no such leaf.
LINK5_FIELDS: dict[str, int] = {
    "errors.malformed_packets": 206,
    "errors.receive": 208,
    "errors.local_integrity": 211,
    "errors.recovery_failed": 214,
    "errors.recovery_events": 215,
    "errors.effective": 219,
    "errors.symbol": 221,
}

#: Per link, by function: cheap, unlike the same facts as field values.
LINK_CALLS: tuple[tuple[str, str], ...] = (
    ("version", "nvmlDeviceGetNvLinkVersion"),
    ("remote_type", "nvmlDeviceGetNvLinkRemoteDeviceType"),
)

#: Leaf of a pair of GPUs -> index of nvmlDeviceGetP2PStatus. nvidia-ml-py's own constant for 0 is a tuple by mistake.
PAIR_INDEXES: dict[str, int] = {"nvlink": 2, "read": 0, "write": 1}
