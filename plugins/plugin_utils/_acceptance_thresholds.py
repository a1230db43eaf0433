# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge one measurement of a burn-in by the tables, by the fleet's own baseline, or by a rule.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Published figures win over the baseline; where nobody has published, the baseline decides, and without one the figure is
``not_verified``: a figure that nobody judged has not passed.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_rules as rules
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_rows import GPU_ROWS, Row
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_rows_fabric import FABRIC_ROWS

Check = dict[str, t.Any]
Measurement = t.Mapping[str, t.Any]
Fleet = t.Mapping[str, t.Mapping[str, t.Any]]

ROWS: tuple[Row, ...] = GPU_ROWS + FABRIC_ROWS

#: Names as NVML tells them, without "NVIDIA ", and the kinds of the catalogue.
NAMES = {
    "A100-SXM4-40GB": "a100-sxm-40",
    "A100-SXM4-80GB": "a100-sxm-80",
    "A800-SXM4-80GB": "a800-sxm-80",
    "H100 80GB HBM3": "h100-sxm-80",
    "H800": "h800-sxm-80",
    "H200": "h200-sxm-141",
    "H20": "h20-96",
    "H20-3e": "h20-3e-141",
    "B200": "b200-sxm-180",
    "B300 SXM6 AC": "b300-sxm-270",
}

#: Keys of a row that must be equal to the measurement's parameter of that name, where the row has one.
KEYS = ("gpus", "nodes", "nics", "nic_gbps")

#: What a baseline compares besides: the same figure under the same conditions.
BASELINE_PARAMETERS = ("dtype", "size", "load", "bytes", "together")

CAPTURE = "Run the burn-in on nodes that you trust with burn_in_capture_baseline=true: then this fleet is compared with itself."

REMEDIES = {
    "gemm": "Look at clocks, power and temperature of this GPU under load (nvidia-smi -q -d PERFORMANCE,POWER,CLOCK); compare with"
    " its neighbours, then move it to another slot or return it.",
    "hbm_copy": "Look at the memory's clock and at remapped rows (gpu_health), and reset the GPU; return it if it stays slow.",
    "h2d": "Look at the PCIe link's speed and width (gpu_health), at the IOMMU, and at which socket's memory is used.",
    "d2h": "Look at the PCIe link's speed and width (gpu_health), at the IOMMU, and at which socket's memory is used.",
    "p2p": "Look at NVLinks that are down and at their errors (gpu_health), and at Fabric Manager on this node.",
    "all_reduce": "Look at the copies between cards of this run for the slow link, at Fabric Manager, and at NCCL's settings.",
    "rdma_write_bw": "Look at rate, errors and PCIe link of both HCAs (rdma_health) and at the cable and switch between them.",
    "rdma_write_lat": "Look at symbol errors of both HCAs, at the switch between them, and at power saving of the CPUs.",
    "nccl_all_reduce": "Look at the pairs of this run for the slow link, at the transport that NCCL used, and at ACS and IOMMU.",
}


def gpu_kind(name: str) -> str:
    """Return the catalogue's kind for a name as NVML tells it; "" for one that has no rows here."""
    return NAMES.get(name.removeprefix("NVIDIA ").strip(), "")


def threshold(one: Measurement, fleet: Fleet, baseline: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """Return the row that a measurement is judged by, as data, or None when there is none.

    The most specific row with an expected figure, else one of the baseline, else the row that says that none is known.
    """
    gpu = gpu_kind(str(fleet.get(one["node"], {}).get("gpu") or ""))
    said = one.get("parameters") or {}
    matching = [row for row in ROWS if row.kind == one["kind"] and row.gpu in ("", gpu) and _matches(vars(row), said)]
    best = max(matching, key=lambda row: (row.expected is not None, _told(vars(row))), default=None)
    if best is None or best.expected is None:
        own: list[dict[str, t.Any]] = [
            row
            for row in baseline.get("rows", ())
            if row["kind"] == one["kind"] and row["gpu"] in _gpus(one["kind"], gpu) and _same_conditions(row, said)
        ]
        if own:
            # What is known to be broken is so, whatever this fleet does.
            gross = best.gross if best else None
            nearest: dict[str, t.Any] = max(own, key=lambda row: (row["gpu"] == gpu, _told(row)))
            return {"gross": gross, **nearest}
    return None if best is None else dataclasses.asdict(best)


def _gpus(kind: str, gpu: str) -> tuple[str, ...]:
    """Return the GPUs whose baseline counts: between two HCAs that of a run without the cards, too."""
    return (gpu, "") if kind.startswith("rdma_") else (gpu,)


def _told(row: t.Mapping[str, t.Any]) -> int:
    return sum(row.get(key) is not None for key in KEYS) + bool(row.get("algorithm")) + len(row["parameters"])


def _matches(row: t.Mapping[str, t.Any], said: t.Mapping[str, t.Any]) -> bool:
    if any(row.get(key) is not None and row[key] != said.get(key) for key in KEYS):
        return False
    if row.get("algorithm") and str(row["algorithm"]).lower() != str(said.get("algorithm") or "").lower():
        return False
    wanted = dict(row["parameters"])
    least = wanted.pop("least_bytes", 0)
    return (said.get("bytes") or 0) >= least and all(said.get(key) == value for key, value in wanted.items())


def _same_conditions(row: t.Mapping[str, t.Any], said: t.Mapping[str, t.Any]) -> bool:
    own = row["parameters"]
    same = all(own.get(key) == said.get(key) for key in BASELINE_PARAMETERS)
    return same and _matches({**row, "parameters": {}}, said)


def limit(one: Measurement, fleet: Fleet, baseline: t.Mapping[str, t.Any]) -> float | None:
    """Return the floor (for latency the ceiling) that a measurement was judged by, or None where there is none."""
    row = threshold(one, fleet, baseline)
    return None if row is None else _limit(row)


def _limit(row: t.Mapping[str, t.Any]) -> float | None:
    if row["expected"] is None:
        return None
    share = float(row["floor_share"])
    return float(row["expected"]) / share if _lower_is_better(row) else float(row["expected"]) * share


def _lower_is_better(row: t.Mapping[str, t.Any]) -> bool:
    return kinds.KINDS[row["kind"]].better == "lower"


def judge(one: Measurement, fleet: Fleet, baseline: t.Mapping[str, t.Any]) -> Check:
    """Return the check of a measurement: {name, verdict, observed, expected, remedy, source}.

    ``fleet``: {node: {gpu: name of NVML, …}}; ``baseline``: {} or as ``_acceptance_baseline`` stores it.
    """
    name = rules.title(one)
    value = kinds.value(one)
    if value is None:
        return rules.without_value(one)
    if one["kind"] in rules.RULES:
        return rules.RULES[one["kind"]](one)
    observed, unit = kinds.with_unit(value, one["unit"]), str(one["unit"])
    row = threshold(one, fleet, baseline)
    if row is None:
        gpu = str(fleet.get(one["node"], {}).get("gpu") or "this GPU")
        why = f"{observed}; there is no row for this figure of {gpu}"
        return rules.check(name, "not_verified", why, None, CAPTURE, "no threshold")
    source = f"{row['source']}, {row['date']}"
    remedy = REMEDIES.get(one["kind"], "Compare this node with its neighbours.")
    if row.get("gross") is not None and value < row["gross"]:
        return rules.check(name, "fail", observed, f"at least {kinds.with_unit(row['gross'], unit)}", remedy, source)
    floor = _limit(row)
    if floor is None:
        above = f", above the gross floor of {kinds.number(row['gross'])}" if row.get("gross") else ""
        return rules.check(name, "not_verified", f"{observed}{above}; no figure to compare with", None, CAPTURE, source)
    lower = _lower_is_better(row)
    word = "at most" if lower else "at least"
    good = value <= floor if lower else value >= floor
    expected = f"{word} {kinds.with_unit(floor, unit)} ({row['floor_share']:.0%} of {kinds.number(row['expected'])})"
    return rules.check(name, "pass" if good else "fail", observed, expected, remedy, source)
