# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What GPUs reach, as data: one row per figure that somebody published or that we measured.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

A row: kind, gpu (kind of the catalogue, "" for any), gpus, nodes, nics, nic_gbps (None: any), algorithm ("": any), parameters
(each must be equal; ``least_bytes``: messages of at least that size), expected (None: nobody has published what a sound one
reaches), floor_share (of expected, below it a figure fails), gross (a floor that only catches what is broken: below it a
figure fails, above it nothing is known), peak (what physics allows, in the same unit and counted the same way), unit, source,
date. Peaks are those of data sheets: a copy inside of a card is counted both ways, so memory bandwidth is its peak; of a link
one direction counts.
"""

from __future__ import annotations

import dataclasses
import typing as t

GIB = 1 << 30

AZURE = "Azure NHC 0e0a1ac, nvbandwidth"
DCGM = "DCGM 4.6.0 diag-skus.yaml, memory_bandwidth (catches gross faults only)"
MAMF = "stas00/ml-engineering 744d01e, MAMF finder"
OURS = "measured by us on two H200 SXM, benchmarks/gpu.md"
FRYER = "gpu-fryer README, all cards under load"
OPEN = "nobody has published it: calibrate"


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the table."""

    kind: str
    gpu: str
    expected: float | None
    peak: float
    unit: str
    source: str
    date: str
    floor_share: float = 0.9
    gross: float | None = None
    gpus: int | None = None
    nodes: int | None = None
    nics: int | None = None
    nic_gbps: float | None = None
    algorithm: str = ""
    parameters: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Card:
    """Physical peaks of a kind of the catalogue: TFLOP/s of dense products, GB/s of memory, of PCIe and of NVLink one way."""

    bf16: float
    hbm: float
    pcie: float
    nvlink: float
    fp8: float | None = None
    tf32: float | None = None


#: Data sheets, as in the catalogue (module_utils/_gpu_catalog.py); a test compares the two.
PEAKS: dict[str, Card] = {
    "a100-sxm-40": Card(312, 1555, 31.5, 300, None, 156),
    "a100-sxm-80": Card(312, 2039, 31.5, 300, None, 156),
    "a800-sxm-80": Card(312, 2039, 31.5, 200, None, 156),
    "h100-sxm-80": Card(989, 3350, 63, 450, 1979, 495),
    "h800-sxm-80": Card(989, 3350, 63, 200, 1979, 495),
    "h200-sxm-141": Card(989, 4800, 63, 450, 1979, 495),
    "h20-96": Card(148, 4000, 63, 450, 296, 74),
    "h20-3e-141": Card(148, 4800, 63, 450, 296, 74),
    "b200-sxm-180": Card(2250, 8000, 63, 900, 4500, 1125),
    "b300-sxm-270": Card(2250, 8000, 126, 900, 4500, 1125),
}


def _gemm(
    gpu: str, dtype: str, expected: float | None, source: str, date: str, share: float = 0.9, **other: t.Any
) -> Row:
    card = PEAKS[gpu]
    peak = {"bf16": card.bf16, "fp16": card.bf16, "fp8": card.fp8, "tf32": card.tf32}[dtype]
    assert peak is not None, f"{gpu} has no {dtype}"
    parameters = {"dtype": dtype, "load": "burst", **other}
    return Row("gemm", gpu, expected, peak, "TFLOP/s", source, date, share, parameters=parameters)


def _hbm(gpu: str, expected: float | None, source: str, date: str, gross: float | None) -> Row:
    return Row("hbm_copy", gpu, expected, PEAKS[gpu].hbm, "GB/s", source, date, 0.9, gross)


def _host(
    kind: str, gpu: str, expected: float | None, source: str, date: str, share: float = 1.0, together: int = 1
) -> Row:
    return Row(kind, gpu, expected, PEAKS[gpu].pcie, "GB/s", source, date, share, parameters={"together": together})


def _p2p(gpu: str, expected: float | None, source: str, date: str, share: float = 1.0) -> Row:
    return Row("p2p", gpu, expected, PEAKS[gpu].nvlink, "GB/s", source, date, share)


def _ring(gpu: str, gpus: int, expected: float | None, source: str, date: str, share: float = 0.9) -> Row:
    peak, least = PEAKS[gpu].nvlink, {"least_bytes": 4 * GIB}
    return Row("all_reduce", gpu, expected, peak, "GB/s", source, date, share, None, gpus, 1, None, None, "Ring", least)


def _nvls(gpu: str, expected: float | None, source: str, date: str, share: float = 0.93) -> Row:
    # The switch adds up: each card sends and receives every byte once, which nccl-tests' busbw counts as 2 (n-1)/n times.
    peak, least = PEAKS[gpu].nvlink * 2 * 7 / 8, {"least_bytes": 4 * GIB}
    return Row("all_reduce", gpu, expected, peak, "GB/s", source, date, share, None, 8, 1, None, None, "NVLS", least)


GPU_ROWS: tuple[Row, ...] = (
    # Bursts of products of random matrices. H20 rarely meets its power limit: 96 % is what a sound one keeps.
    _gemm("a100-sxm-80", "bf16", 271, MAMF, "2026-08-22"),
    _gemm("a100-sxm-40", "bf16", 271, f"{MAMF}: 80 GB, the same processor", "2026-08-22"),
    _gemm("a800-sxm-80", "bf16", None, OPEN, "2026-11-22"),
    _gemm("h100-sxm-80", "bf16", 794, MAMF, "2026-08-22"),
    _gemm("h800-sxm-80", "bf16", None, OPEN, "2026-11-22"),
    _gemm("h200-sxm-141", "bf16", 785, OURS, "2026-11-22"),
    _gemm("h200-sxm-141", "fp16", 753, OURS, "2026-11-22"),
    _gemm("h200-sxm-141", "fp8", 1455, OURS, "2026-11-22"),
    _gemm("h200-sxm-141", "tf32", 407, OURS, "2026-11-22"),
    _gemm("h20-96", "bf16", 138.6, "torch-performance-test-data issue 77, 8192", "2026-11-21", 0.96, size=8192),
    _gemm("h20-96", "bf16", 142.25, "torch-performance-test-data issue 77, 10240", "2026-11-21", 0.94, size=10240),
    _gemm("h20-96", "fp16", 142.1, "torch-performance-test-data issue 77", "2026-11-21", 0.93),
    _gemm("h20-96", "tf32", 71.8, "torch-performance-test-data issue 77", "2026-11-21", 0.9),
    _gemm("h20-3e-141", "bf16", None, OPEN, "2026-11-22"),
    _gemm("b200-sxm-180", "bf16", 1745, MAMF, "2026-08-22"),
    _gemm("b200-sxm-180", "fp8", 3432, MAMF, "2026-08-22"),
    _gemm("b300-sxm-270", "bf16", 1769, MAMF, "2026-08-22"),
    # Under a load that lasts, at the power limit.
    _gemm("a100-sxm-80", "bf16", 270, FRYER, "2026-11-21", load="sustained"),
    _gemm("h100-sxm-80", "bf16", 730, FRYER, "2026-11-21", load="sustained"),
    _gemm("h200-sxm-141", "bf16", 673, f"{OURS}: 690 W, 1500 MHz", "2026-11-22", load="sustained"),
    # Copies inside of a card, read and written counted.
    _hbm("a100-sxm-80", None, DCGM, "2026-07-06", 1173),
    _hbm("a800-sxm-80", None, DCGM, "2026-07-06", 971),
    _hbm("h100-sxm-80", 2903, "Voltage Park, H100 device to device", "2026-11-21", 1905),
    _hbm("h800-sxm-80", None, DCGM, "2026-07-06", 1920),
    _hbm("h200-sxm-141", 4260, OURS, "2026-11-22", None),
    _hbm("h20-96", None, DCGM, "2026-07-06", 1507),
    _hbm("h20-3e-141", None, DCGM, "2026-07-06", 1635),
    _hbm("b200-sxm-180", None, DCGM, "2026-07-06", 4072),
    _hbm("b300-sxm-270", None, DCGM, "2026-07-06", 4623),
    # One card after another. Azure's gates are floors already.
    *(_host(kind, "a100-sxm-80", 21, AZURE, "2026-05-01") for kind in ("h2d", "d2h")),
    *(_host(kind, "a800-sxm-80", 21, f"{AZURE}: A100, the same PCIe 4.0 ×16", "2026-05-01") for kind in ("h2d", "d2h")),
    _host("h2d", "h100-sxm-80", 48, AZURE, "2026-05-01"),
    # Below Azure's 48: Voltage Park measured 46.8 on a sound node.
    _host("d2h", "h100-sxm-80", 46.8, "Voltage Park, H100 device to host", "2026-11-21", 0.9),
    _host("h2d", "h200-sxm-141", 55.2, OURS, "2026-11-22", 0.87),
    _host("d2h", "h200-sxm-141", 55.3, OURS, "2026-11-22", 0.87),
    *(_host(kind, "h200-sxm-141", 53.5, OURS, "2026-11-22", 0.87, 2) for kind in ("h2d", "d2h")),
    *(
        _host(kind, gpu, 48 if kind == "h2d" else 46.8, f"{AZURE}: H100, the same PCIe 5.0 ×16", "2026-05-01", 0.9)
        for gpu in ("h800-sxm-80", "h20-96", "h20-3e-141", "b200-sxm-180")
        for kind in ("h2d", "d2h")
    ),
    *(_host(kind, "b300-sxm-270", None, OPEN, "2026-11-22") for kind in ("h2d", "d2h")),
    # Between two cards, one way.
    _p2p("a100-sxm-80", 238, AZURE, "2026-05-01", 0.98),
    _p2p("a800-sxm-80", None, OPEN, "2026-11-22"),
    _p2p("h100-sxm-80", 335, AZURE, "2026-05-01"),
    _p2p("h200-sxm-141", 393, OURS, "2026-11-22", 0.9),
    _p2p("h800-sxm-80", 160, "deepseek-ai/DeepSeek-V3 issue 28", "2026-11-21", 0.9),
    *(_p2p(gpu, None, OPEN, "2026-11-22") for gpu in ("h20-96", "h20-3e-141", "b200-sxm-180", "b300-sxm-270")),
    # The all-reduce within a node.
    _ring("a100-sxm-80", 8, 235, "NVIDIA/nccl-tests issue 175: 232 to 235, NVSwitch", "2026-11-21"),
    _ring("a800-sxm-80", 8, 160, "NVIDIA/nccl issue 412, a maintainer", "2026-11-21"),
    _ring("h100-sxm-80", 8, 366, "365 to 370, NVIDIA/nccl issue 1221 and stas00", "2026-11-21"),
    _nvls("h100-sxm-80", 476, "NVIDIA/nccl-tests issue 290; gates: Azure 460, OCI 440", "2026-11-21"),
    _ring("h200-sxm-141", 8, 366, "stas00/ml-engineering 744d01e", "2026-08-22"),
    _ring("h200-sxm-141", 4, 363, "stas00/ml-engineering 744d01e", "2026-08-22"),
    _ring("h200-sxm-141", 2, 347, OURS, "2026-11-22"),
    _nvls("h200-sxm-141", 473, "NVIDIA/nccl-tests issue 272, at 8 GiB; gate: Azure 431", "2026-11-21", 0.91),
    _nvls("h800-sxm-80", 215, "NVIDIA/nccl issue 1374", "2026-11-21", 0.9),
    _ring("h800-sxm-80", 8, None, OPEN, "2026-11-22"),
    *(_ring(gpu, 8, None, OPEN, "2026-11-22") for gpu in ("h20-96", "h20-3e-141", "b300-sxm-270")),
    *(_nvls(gpu, None, OPEN, "2026-11-22") for gpu in ("h20-96", "h20-3e-141")),
    _ring("b200-sxm-180", 8, 682, "stas00/ml-engineering 744d01e", "2026-08-22"),
    _nvls("b200-sxm-180", 838, "stas00/ml-engineering 744d01e", "2026-08-22", 0.84),
    _nvls("b300-sxm-270", 800, "OCI oci-hpc b5285a6, a gate", "2026-05-19", 1.0),
)
