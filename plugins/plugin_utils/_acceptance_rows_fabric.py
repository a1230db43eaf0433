# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What networks reach, as data: RDMA writes by the rate of the port, all-reduces across nodes by number and rate of the NICs.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

The form is that of ``_acceptance_rows``. The peak is the wire: rate in Gb/s, and NICs × rate / 8 in GB/s for busbw.
"""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_rows import GIB, OPEN, Row

RATES = (100, 200, 400, 800)


def _write(rate: float, expected: float | None, share: float, source: str, date: str) -> Row:
    return Row("rdma_write_bw", "", expected, rate, "Gb/s", source, date, share, nic_gbps=rate)


def _nccl(nics: int, rate: float, expected: float | None, share: float, source: str, date: str) -> Row:
    wire, least = nics * rate / 8, {"least_bytes": GIB}
    return Row(
        *("nccl_all_reduce", "", expected, wire, "GB/s", source, date, share),
        nics=nics,
        nic_gbps=rate,
        algorithm="Ring",
        parameters=least,
    )


FABRIC_ROWS: tuple[Row, ...] = (
    _write(100, 92.4, 0.95, "NVIDIA/deepops, RoCE 100G", "2026-11-21"),
    _write(200, 197, 0.914, "Azure NHC 0e0a1ac: gate 180", "2026-05-01"),
    _write(400, 392, 0.92, "NVIDIA/nccl issue 2409; gates: Azure 360 and 380, OCI 350 and 384", "2026-11-21"),
    _write(800, None, 0.9, OPEN, "2026-11-22"),
    # Ring only: on two nodes Tree and NVLSTree exceed the wire. 92 to 96 % of it is what sound fabrics show.
    _nccl(8, 200, 192, 0.9, "NVIDIA/nccl issue 1576, DGX A100", "2026-11-21"),
    _nccl(8, 400, 330, 0.9, "NVIDIA/nccl issue 1221: 320 to 331 without NVLS", "2026-11-21"),
    _nccl(4, 400, 190, 0.9, "NVIDIA/nccl issue 1357, H100 with 4 × 400G RoCE", "2026-11-21"),
    *(
        _nccl(nics, rate, None, 0.9, OPEN, "2026-11-22")
        for nics in (1, 2, 4, 8)
        for rate in RATES
        if (nics, rate) not in ((8, 200), (8, 400), (4, 400))
    ),
    # A ceiling: lower is better. The peak is a switchless cable.
    Row("rdma_write_lat", "", 5.0, 0.8, "us", "OCI oci-hpc b5285a6, a gate", "2026-05-19", 1.0, nic_gbps=400),
    Row("rdma_write_lat", "", 5.0, 0.8, "us", "OCI oci-hpc b5285a6, a gate", "2026-05-19", 1.0, nic_gbps=200),
)
