# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at this machine's real NVIDIA cards: ``python -m tests.gpu.real RESULT_DIRECTORY [EXPECT_JSON]``.

Runs the module ``gpu_health`` as it is, compares what was read with ``nvidia-smi -q -x`` field by field, and measures both
beside each other. Changes nothing on the cards. Writes ``gpu.json``; serial numbers and UUIDs are masked. Ends with 1 when
a check fails, or a field differs.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
import typing as t
import xml.etree.ElementTree as ElementTree

from ansible_collections.gpufleet.inference.plugins.module_utils._nvml import read_nvml

RUNS = 5
#: Two readings, some milliseconds apart, of a card at work.
TOLERANCES = {"temperature_c": 3, "margin_temperature_c": 3, "memory_temperature_c": 3, "power_usage_mw": 60_000}

MODULE = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.gpufleet.inference.plugins.modules import gpu_health
with patch_module_args(json.loads(sys.argv[1])):
    gpu_health.main()
"""


def number(text: str) -> int:
    """Return the whole number at the start of ``143771 MiB``, ``16x`` or ``P0``."""
    found = re.search(r"-?\d+", text)
    if not found:
        raise ValueError(f"no number in {text!r}")
    return int(found[0])


def milliwatts(text: str) -> int:
    return round(float(text.split(maxsplit=1)[0]) * 1000)


def enabled(text: str) -> int:
    return int(text == "Enabled")


def mebibytes(text: str) -> int:
    return number(text) * 2**20


def yes(text: str) -> int:
    return int(text == "Yes")


def pci(text: str) -> str:
    """Return a bus id as sysfs writes it: four digits of domain, small letters."""
    return text[-12:].lower()


RECOVERY = ("None", "Reset", "Reboot", "Drain P2P", "Drain and Reset")
FABRIC = ("N/A", "Not Started", "In Progress", "Completed")
VIRTUALIZATION = ("None", "Pass-Through", "VGPU", "Host VGPU", "Host VSGA")
COMPUTE = ("Default", "Exclusive_Thread", "Prohibited", "Exclusive_Process")

#: Key of a GPU in what was read (a dot goes into a mapping, a number into a list), path in the XML, its value in our unit.
FIELDS: tuple[tuple[str, str, t.Callable[[str], t.Any]], ...] = (
    ("name", "product_name", str),
    ("uuid", "uuid", str),
    ("serial", "serial", str),
    ("pci", "pci/pci_bus_id", pci),
    ("device_id", "pci/pci_device_id", lambda text: text.removeprefix("0x")[:4].lower()),
    ("board_part_number", "board_part_number", str),
    ("vbios_version", "vbios_version", str),
    ("inforom_version", "inforom_version/img_version", str),
    ("minor_number", "minor_number", number),
    ("module_id", "platformInfo/module_id", number),
    ("memory_total_bytes", "fb_memory_usage/total", mebibytes),
    ("bar1_total_bytes", "bar1_memory_usage/total", mebibytes),
    ("ecc_mode.0", "ecc_mode/current_ecc", enabled),
    ("ecc_mode.1", "ecc_mode/pending_ecc", enabled),
    ("ecc.volatile_uncorrected_dram", "ecc_errors/volatile/dram_uncorrectable", number),
    ("ecc.volatile_corrected_dram", "ecc_errors/volatile/dram_correctable", number),
    ("ecc.aggregate_uncorrected_dram", "ecc_errors/aggregate/dram_uncorrectable", number),
    ("ecc.aggregate_corrected_dram", "ecc_errors/aggregate/dram_correctable", number),
    ("sram_ecc.threshold_exceeded", "ecc_errors/aggregate/sram_threshold_exceeded", yes),
    ("remapped_rows.correctable", "remapped_rows/remapped_row_corr", number),
    ("remapped_rows.uncorrectable", "remapped_rows/remapped_row_unc", number),
    ("remapped_rows.pending", "remapped_rows/remapped_row_pending", yes),
    ("remapped_rows.failure", "remapped_rows/remapped_row_failure", yes),
    ("remap_histogram.max", "remapped_rows/row_remapper_histogram/row_remapper_histogram_max", number),
    ("remap_histogram.none", "remapped_rows/row_remapper_histogram/row_remapper_histogram_none", number),
    ("recovery_action", "gpu_recovery_action", RECOVERY.index),
    ("persistence_mode", "persistence_mode", enabled),
    ("temperature_c", "temperature/gpu_temp", number),
    ("margin_temperature_c", "temperature/gpu_temp_tlimit", number),
    ("memory_temperature_c", "temperature/memory_temp", number),
    ("power_limit_mw", "gpu_power_readings/current_power_limit", milliwatts),
    ("power_default_limit_mw", "gpu_power_readings/default_power_limit", milliwatts),
    ("power_constraints_mw.0", "gpu_power_readings/min_power_limit", milliwatts),
    ("power_constraints_mw.1", "gpu_power_readings/max_power_limit", milliwatts),
    ("power_usage_mw", "gpu_power_readings/instant_power_draw", milliwatts),
    ("clock_sm_mhz", "clocks/sm_clock", number),
    ("clock_memory_mhz", "clocks/mem_clock", number),
    ("max_clock_sm_mhz", "max_clocks/sm_clock", number),
    ("max_clock_memory_mhz", "max_clocks/mem_clock", number),
    ("performance_state", "performance_state", number),
    ("mig_mode.0", "mig_mode/current_mig", enabled),
    ("mig_mode.1", "mig_mode/pending_mig", enabled),
    ("compute_mode", "compute_mode", COMPUTE.index),
    ("pcie_generation", "pci/pci_gpu_link_info/pcie_gen/current_link_gen", number),
    ("pcie_generation_max", "pci/pci_gpu_link_info/pcie_gen/max_link_gen", number),
    ("pcie_width", "pci/pci_gpu_link_info/link_widths/current_link_width", number),
    ("pcie_width_max", "pci/pci_gpu_link_info/link_widths/max_link_width", number),
    ("pcie_replays", "pci/replay_counter", number),
    ("fabric.state", "fabric/state", FABRIC.index),
    ("gsp_firmware_version", "gsp_firmware_version", str),
    ("virtualization_mode", "gpu_virtualization_mode/virtualization_mode", VIRTUALIZATION.index),
)


def dig(value: t.Any, path: str) -> t.Any:
    """Return what a dotted key names; None when it is not there."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def compare(gpu: dict[str, t.Any], element: ElementTree.Element) -> list[dict[str, t.Any]]:
    """Return one row per field: ``key``, ``read``, ``smi`` and ``verdict``: same, differs, or absent (in the XML)."""
    rows = []
    for key, path, convert in FIELDS:
        text, seen = element.findtext(path), dig(gpu, key)
        row: dict[str, t.Any] = {"key": key, "read": seen, "smi": text, "verdict": "absent"}
        if text is not None and text not in ("N/A", "Unknown Error"):
            try:
                said = convert(text)
                near = (
                    isinstance(seen, int) and abs(seen - said) <= TOLERANCES.get(key, 0) if key in TOLERANCES else False
                )
                row["verdict"] = "same" if seen == said or near else "differs"
            except (ValueError, TypeError):
                row["verdict"] = "differs"
        rows.append(row)
    return rows


def seconds(command: list[str]) -> tuple[float, subprocess.CompletedProcess[str]]:
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return time.monotonic() - began, done


def masked(text: str) -> str:
    """Return the text without what identifies a card."""
    return re.sub(r"GPU-[0-9a-f-]{36}", "GPU-00000000-0000-0000-0000-000000000000", text)


def main(arguments: list[str]) -> int:
    folder = pathlib.Path(arguments[0])
    expect = json.loads(arguments[1]) if len(arguments) > 1 else {}
    parameters = json.dumps({"expect": expect, "fail_on": [], "python": sys.executable})
    module = [sys.executable, "-c", MODULE, parameters]
    smi = ["nvidia-smi", "-q", "-x"]
    times: dict[str, list[float]] = {"module": [], "nvidia-smi -q -x": [], "on the node": []}
    for _run in range(RUNS):  # in turn, so that both see the same machine
        taken, module_done = seconds(module)
        times["module"].append(taken)
        answer = json.loads(module_done.stdout)
        times["on the node"].append(answer["facts"]["seconds"])
        taken, smi_done = seconds(smi)
        times["nvidia-smi -q -x"].append(taken)
    nvml = read_nvml()
    # What stands here was printed by the driver's own tool on this machine.
    elements = ElementTree.fromstring(smi_done.stdout).findall("gpu")
    rows = {gpu["index"]: compare(gpu, element) for gpu, element in zip(nvml["gpus"], elements, strict=True)}
    result = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "cpus": os.cpu_count(),
        "driver_version": nvml["system"]["driver_version"],
        "gpus": [gpu["name"] for gpu in nvml["gpus"]],
        "seconds_median": {name: round(statistics.median(values), 3) for name, values in times.items()},
        "verdict": answer["verdict"],
        "checks": answer["checks"],
        "facts": answer["facts"],
        "fields": rows,
        "nvml": nvml,
    }
    text = masked(json.dumps(result, indent=1))
    for serial in {str(gpu.get("serial")) for gpu in nvml["gpus"]}:
        text = text.replace(serial, "1650000000000")
    (folder / "gpu.json").write_text(text + "\n", encoding="utf-8")
    (folder / "nvidia-smi.txt").write_text(masked(seconds(["nvidia-smi", "-q"])[1].stdout), encoding="utf-8")
    print(result["gpus"], result["driver_version"], result["seconds_median"], answer["verdict"])
    bad = [check for check in answer["checks"] if check["verdict"] in ("fail", "warn")]
    for check in [one for one in answer["checks"] if one["verdict"] != "pass"]:
        print(f"{check['verdict']:13} {check['name']}: {check['observed']} (expected {check['expected']})")
    differing = [(index, row) for index, found in rows.items() for row in found if row["verdict"] == "differs"]
    for index, row in differing:
        print(f"differs       GPU {index} {row['key']}: read {row['read']!r}, nvidia-smi says {row['smi']!r}")
    verdicts = [row["verdict"] for found in rows.values() for row in found]
    print({verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))})
    return int(bool(bad or differing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
