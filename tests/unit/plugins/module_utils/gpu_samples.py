# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A healthy node with two H20 as ``read_nvml`` and ``read_gpu_host`` return it, for tests of single judges."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge import make_node
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import Finding, Node, Skip

Data = dict[str, t.Any]
DRIVER = "580.159.04"
PCI = ("0000:1b:00.0", "0000:43:00.0")

#: What the healthy node is expected to be.
EXPECT: Data = {
    "gpus": 2,
    "kind": "h20-96",
    "driver_version": DRIVER,
    "cuda_at_least": "13.0",
    "nvswitches": 4,
    "gdr_path": "any",
    "processes": "none",
}

#: Changes of a reading: {"gpus.0.fabric.state": 1}; a number goes into a list.
Changes = t.Mapping[str, t.Any]


def unread(code: int = 999) -> Data:
    return {"unread": f"code {code}", "code": code}


def _gpu(index: int) -> Data:
    return {
        "index": index,
        "handle": True,
        "name": "NVIDIA H20",
        "uuid": f"GPU-{index}",
        "serial": str(index),
        "pci": PCI[index],
        "device_id": "2329",
        "subsystem_id": "198b10de",
        "architecture": 9,
        "vbios_version": "96.00",
        "inforom_version": "G520",
        "inforom_valid": True,
        "gsp_firmware_mode": {"enabled": 1, "default": 1},
        "gsp_firmware_version": DRIVER,
        "memory_total_bytes": 97871 * 2**20,
        "ecc_mode": [1, 1],
        "ecc": {
            f"{counter}_{kind}_{place}": 0
            for counter in ("volatile", "aggregate")
            for kind in ("corrected", "uncorrected")
            for place in ("dram", "sram")
        },
        "sram_ecc": {"threshold_exceeded": 0, "volatile_uncorrected": 0, "aggregate_uncorrected": 0},
        "remapped_rows": {"correctable": 0, "uncorrectable": 0, "pending": 0, "failure": 0},
        "remap_histogram": {"max": 3072, "high": 0, "partial": 0, "low": 0, "none": 0},
        "repair": {"channel_pending": 0, "tpc_pending": 0},
        "unrepairable_memory": 0,
        "retired_pages_pending": unread(3),
        "recovery_action": 0,
        "persistence_mode": 1,
        "clock_event_reasons": 1,
        "throttle_ns": {"269": 0, "270": 0, "271": 0},
        "margin_temperature_c": 50,
        "memory_temperature_c": 40,
        "power_enforced_limit_mw": 500000,
        "power_default_limit_mw": 500000,
        "clock_sm_mhz": 345,
        "max_clock_sm_mhz": 1980,
        "performance_state": 0,
        "mig_mode": [0, 0],
        "compute_mode": 0,
        "processes": [],
        "pcie_generation": 5,
        "pcie_generation_max": 5,
        "pcie_width": 16,
        "pcie_width_max": 16,
        "pcie_replays": 0,
        "pcie_errors": {"fatal": 0, "non_fatal": 0, "correctable": 0},
        "nvlinks": [
            {"link": link, "state": 1, "speed_mb_s": 26562, "errors": {"replay": 0, "recovery": 0, "crc": 0}}
            for link in range(18)
        ],
        "fabric": {"state": 3, "status": 0, "health_mask": 0, "health_summary": 0},
        "virtualization_mode": 0,
        "minor_number": index,
    }


def nvml() -> Data:
    return {
        "library": "13.580.126",
        "init": {"code": 0, "error": "", "text": ""},
        "hung_in": "",
        "system": {
            "driver_version": DRIVER,
            "nvml_version": f"13.{DRIVER}",
            "cuda_version": 13000,
            "conf_compute": {"feature": 0, "environment": 0, "devtools": 0},
            "conf_compute_ready": 0,
        },
        "gpus": [_gpu(0), _gpu(1)],
        "pairs": [{"a": 0, "b": 1, "nvlink": 0, "read": 0, "write": 0}],
    }


def _function(pci: str) -> Data:
    return {
        "pci": pci,
        "device_id": "2329",
        "driver": "nvidia",
        "revision": "a1",
        "link_speed_gts": 32.0,
        "link_width": 16,
        "aer": {"fatal": 0, "nonfatal": 0, "correctable": 0},
    }


def host() -> Data:
    unit = {
        "load": "loaded",
        "active": "active",
        "sub": "running",
        "result": "success",
        "restarts": 0,
        "exec_start": "",
    }
    log = {"source": "journal", "problem": "", "complete": True, "dropped": 0, "lines": []}
    library = [{"path": "/lib/x.so.1", "version": DRIVER, "exists": True}]
    module = {"loaded": False, "version": "", "references": None}
    return {
        "boot": {"kernel": "6.8.0", "uptime_seconds": 86400.0, "container": "", "hypervisor": False},
        "driver": {"loaded": True, "text": "NVRM version …", "version": DRIVER, "flavour": "open"},
        "modules": {
            **dict.fromkeys(("nouveau", "nova_core", "ib_umad"), module),
            "nvidia": {"loaded": True, "version": DRIVER, "references": 3},
        },
        "nouveau": {"blacklisted_by": ["/etc/modprobe.d/nvidia.conf"]},
        "gpus": [_function(pci) for pci in PCI],
        "nvswitches": [{"pci": f"0000:0{bus}:00.0", "revision": "a1"} for bus in (7, 8, 9, "a")],
        "nvlink5_bridges": {"pci": [], "problem": ""},
        "device_nodes": {f"/dev/{one}": "0666" for one in ("nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1")},
        "capability_nodes": {},
        "libraries": {"libcuda.so.1": library, "libnvidia-ml.so.1": library, "problem": ""},
        "kernel_log": log,
        "units": {f"{one}.service": unit for one in ("nvidia-fabricmanager", "nvidia-persistenced", "nvidia-imex")},
        "units_problem": "",
        "fabric_manager": {"installed": True, "version": DRIVER, "problem": "", "log": log},
        "imex": {"nodes": []},
        "processes": {"nv-fabricmanager": [812], "nvlsm": []},
        "stuck_processes": [],
        "packages": {
            "manager": "apt",
            "versions": {"nvidia-open": "1"},
            "held": ["nvidia-open"],
            "blacklist": ["nvidia"],
        },
        "kernels": {"running": "6.8.0", "next": "6.8.0", "nvidia": {"6.8.0": DRIVER}, "problem": ""},
        "secure_boot": {"efi": True, "enabled": False, "lockdown": "", "keys": []},
        "gdr": {"dma_buf": True, "peermem": False, "persistent": False},
        "environment": [],
        "containers": {
            "toolkit": "1.18.0",
            "toolkit_problem": "",
            "runtime_mode": "auto",
            "cdi": [{"path": "/run/cdi/nvidia.yaml", "devices": ["0", "1", "all"], "driver_version": DRIVER}],
            "docker": {"daemon_json": {}, "problem": "", "cgroup_driver": "systemd"},
            "device_links": 0,
        },
    }


def changed(data: Data, changes: Changes) -> Data:
    """Return a copy with the values at these dotted paths; every path must lead to something that is there."""
    copied = copy.deepcopy(data)
    for path, value in changes.items():
        *parents, last = path.split("/") if "/" in path else path.split(".")
        place: t.Any = copied
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place[int(last) if isinstance(place, list) else last] = value
    return copied


def node(nvml_changes: Changes | None = None, host_changes: Changes | None = None, expect: Data | None = None) -> Node:
    """Return the node with changes: bare metal with NVSwitches and two GPUs."""
    return make_node(changed(nvml(), nvml_changes or {}), changed(host(), host_changes or {}), expect or {})


def said(judged: Finding | Skip) -> str:
    """Return the verdict, or ``skip``."""
    return "skip" if isinstance(judged, Skip) else judged.verdict


#: A case of a table: judge, changes of NVML, changes of the host, expect, verdict.
Case = tuple[str, Changes, Changes, Data, str]
