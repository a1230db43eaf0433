# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The GPU catalogue: one row per kind of card, found by PCI device id (names differ between drivers and mocks).

Sources of the ids: NVIDIA's open-gpu-kernel-modules README and DCGM 4.6 ``diag-skus.yaml``, read 2026-11-22; memory,
bandwidth, power and peaks: NVIDIA's data sheets; link counts and speeds: NVML of real cards (H200: our own record of
2026-11-21). What we could not confirm is None. Floors of DCGM outside 0.3 to 0.95 of the physical peak are not taken
over (its H200 row is a thousand times too low).

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_card import Card, Floor, index

_BOTH = ("open", "proprietary")
_OPEN = ("open",)

_DCGM = "DCGM 4.6.0 diag-skus.yaml, memory_bandwidth"
_AZURE = "Azure NHC 0e0a1ac, nvbandwidth"


def _copy(value: float | None, source: str = _DCGM, date: str = "2026-07-06") -> Floor:
    return Floor("hbm_copy_mb_s", value, source, date)


def _azure(h2d: float, p2p: float) -> tuple[Floor, Floor]:
    return Floor("h2d_gb_s", h2d, _AZURE, "2026-05-01"), Floor("p2p_gb_s", p2p, _AZURE, "2026-05-01")


_CALIBRATE = _copy(None, "no sound number published", "2026-11-22")
_H20_GEMM = Floor("bf16_gemm_tflops", 133, "torch-performance-test-data issue 77: 138 to 142 of 148", "2026-11-21")

# Values that rows of one family share.
_NONE: dict[str, t.Any] = {"fabric": "none", "nvlinks": 0, "nvlink_mb_s": None, "nvswitches": 0}
_NVLINK3: dict[str, t.Any] = {"fabric": "nvswitch", "nvlinks": 12, "nvlink_mb_s": 25000, "nvswitches": 6}
_NVLINK4: dict[str, t.Any] = {"fabric": "nvswitch", "nvlinks": 18, "nvlink_mb_s": 26562, "nvswitches": 4}
_NVLINK5: dict[str, t.Any] = {"fabric": "nvswitch5", "nvlinks": 18, "nvlink_mb_s": 53125, "nvswitches": 0}
_MESH: dict[str, t.Any] = {"fabric": "direct", "nvlinks": 6, "nvlink_mb_s": 25781, "nvswitches": 0}
_PCIE3: dict[str, t.Any] = {"pcie_generation": 3, "pcie_width": 16}
_PCIE4: dict[str, t.Any] = {"pcie_generation": 4, "pcie_width": 16}
_PCIE5: dict[str, t.Any] = {"pcie_generation": 5, "pcie_width": 16}
_VOLTA: dict[str, t.Any] = {
    "architecture": "volta",
    "bf16_tflops": None,
    "module_flavours": ("proprietary",),
    "last_branch": 580,
    **_PCIE3,
}
_AMPERE: dict[str, t.Any] = {"architecture": "ampere", "module_flavours": _BOTH, **_PCIE4}
_ADA: dict[str, t.Any] = {"architecture": "ada", "module_flavours": _BOTH, "hbm": False, **_PCIE4, **_NONE}
_HOPPER: dict[str, t.Any] = {"architecture": "hopper", "module_flavours": _BOTH, **_PCIE5}
_BLACKWELL: dict[str, t.Any] = {"architecture": "blackwell", "module_flavours": _OPEN, "pcie_generation": None}
_TURING: dict[str, t.Any] = {"architecture": "turing", "module_flavours": _BOTH, "hbm": False, **_PCIE3, **_NONE}
_HGX_AMPERE: dict[str, t.Any] = {**_AMPERE, **_NVLINK3}
_HGX_HOPPER: dict[str, t.Any] = {**_HOPPER, **_NVLINK4}
# Which links these have up nobody published.
_HGX_UNKNOWN: dict[str, t.Any] = {**_HGX_HOPPER, "nvlinks": None, "nvswitches": None}
_GRACE_HOPPER: dict[str, t.Any] = {**_HOPPER, "module_flavours": _OPEN, "pcie_generation": None, "pcie_width": None}
_HGX_B200: dict[str, t.Any] = {**_BLACKWELL, **_NVLINK5, **_PCIE5, "least_branch": 570}
_HGX_B300: dict[str, t.Any] = {**_BLACKWELL, **_NVLINK5, "pcie_width": 16, "least_branch": 580}
_RACK: dict[str, t.Any] = {**_BLACKWELL, **_NVLINK5, "fabric": "rack", "pcie_width": None}


def _bridge(links: int, speed: int) -> dict[str, t.Any]:
    return {"fabric": "bridge", "nvlinks": links, "nvlink_mb_s": speed, "nvswitches": 0}


def _card(
    kind: str,
    name: str,
    ids: str,
    memory_gib: float | None,
    bandwidth: int | None,
    bf16: float | None,
    power_w: int | None,
    *floors: Floor,
    **family: t.Any,
) -> Card:
    return Card(
        kind=kind,
        name=name,
        device_ids=tuple(ids.split()),
        memory_gib=memory_gib,
        memory_bandwidth_gb_s=bandwidth,
        power_w=power_w,
        floors=floors,
        **{"bf16_tflops": bf16, "source": "see the head of this file", **family},
    )


CARDS: tuple[Card, ...] = (
    # Volta, Turing
    _card("v100-sxm2-16", "V100 SXM2 16 GB", "1db1", 16, 900, None, 300, **_VOLTA, **_MESH),
    _card("v100-sxm2-32", "V100 SXM2 32 GB", "1db5", 32, 900, None, 300, **_VOLTA, **_MESH),
    _card("v100-pcie-16", "V100 PCIe 16 GB", "1db4", 16, 900, None, 250, **_VOLTA, **_NONE),
    _card("v100-pcie-32", "V100 PCIe 32 GB", "1db6", 32, 900, None, 250, **_VOLTA, **_NONE),
    _card("t4", "T4", "1eb8", 15, 320, None, 70, **_TURING),
    # Ampere
    _card("a100-sxm-40", "A100 SXM4 40 GB", "20b0", 40, 1555, 312, 400, _CALIBRATE, **_HGX_AMPERE),
    _card(
        "a100-sxm-80", "A100 SXM4 80 GB", "20b2", 80, 2039, 312, 400, _copy(1_173_000), *_azure(21, 238), **_HGX_AMPERE
    ),
    _card("a100-pcie-40", "A100 PCIe 40 GB", "20f1", 40, 1555, 312, 250, **_AMPERE, **_bridge(12, 25000)),
    _card("a100-pcie-80", "A100 PCIe 80 GB", "20b5", 80, 1935, 312, 300, **_AMPERE, **_bridge(12, 25000)),
    # NVLink cut to 400 GB/s: 8 of 12 links.
    _card("a800-sxm-40", "A800 SXM4 40 GB", "20bd", 40, 1555, 312, 400, **{**_HGX_AMPERE, "nvlinks": 8}),
    _card("a800-sxm-80", "A800 SXM4 80 GB", "20f3", 80, 2039, 312, 400, **{**_HGX_AMPERE, "nvlinks": 8}),
    _card("a800-pcie-80", "A800 PCIe 80 GB", "20f5", 80, 1935, 312, 300, **_AMPERE, **_bridge(8, 25000)),
    _card("a800-pcie-40", "A800 40 GB Active", "20f6", 40, 1555, 312, 240, **_AMPERE, **_bridge(8, 25000)),
    _card("a30", "A30", "20b7", 24, 933, 165, 165, **_AMPERE, **_bridge(4, 25000)),
    _card("a10", "A10", "2236", 22.5, 600, 125, 150, **{**_AMPERE, **_NONE, "hbm": False}),
    _card("a40", "A40", "2235", 45, 696, 150, 300, **{**_AMPERE, **_bridge(4, 14062), "hbm": False}),
    # Ada
    _card("l4", "L4", "27b8", 22.5, 300, 121, 72, **_ADA),
    _card("l20", "L20", "26ba", 45, 864, 119.5, 275, **_ADA),
    _card("l40", "L40", "26b5", 45, 864, 181, 300, **_ADA),
    _card("l40s", "L40S", "26b9", 45, 864, 362, 350, _copy(525_000), **_ADA),
    # Hopper
    _card(
        "h100-sxm-80",
        "H100 SXM5 80 GB",
        "2330",
        79.6,
        3350,
        989,
        700,
        _copy(1_905_000),
        *_azure(48, 335),
        **_HGX_HOPPER,
    ),
    _card("h100-pcie-80", "H100 PCIe 80 GB", "2331", 79.6, 2039, 756, 350, **_HOPPER, **_bridge(12, 26562)),
    _card("h100-nvl-94", "H100 NVL 94 GB", "2321", 93.6, 3938, 835, 400, **_HOPPER, **_bridge(12, 26562)),
    # NVLink cut to 400 GB/s: 8 of 18 links.
    _card(
        "h800-sxm-80",
        "H800 SXM5 80 GB",
        "2324",
        79.6,
        3350,
        989,
        700,
        _copy(1_920_000),
        **{**_HGX_HOPPER, "nvlinks": 8},
    ),
    _card("h800-pcie-80", "H800 PCIe 80 GB", "2322", 79.6, 2039, 756, 350, **_HOPPER, **_bridge(8, 26562)),
    _card("h800-nvl-94", "H800 NVL 94 GB", "233a", 93.6, 3938, 835, 400, **_HOPPER, **_bridge(8, 26562)),
    _card("h20-96", "H20 96 GB", "2329", 95.6, 4000, 148, 500, _copy(1_507_000), _H20_GEMM, **_HGX_HOPPER),
    _card("h20-3e-141", "H20-3e 141 GB", "232c", 140.4, 4800, 148, 500, _copy(1_635_000), **_HGX_HOPPER),
    _card("h20-nvl16", "H20 NVL16", "230e 230c", None, None, None, None, _CALIBRATE, **_HGX_UNKNOWN),
    _card("h20b", "H20B", "2328", None, None, None, 400, _CALIBRATE, **_HGX_UNKNOWN),
    # DCGM's row says 2 333 MB/s; we measured 4.3 TB/s on 2026-11-21, read and write counted.
    _card(
        "h200-sxm-141",
        "H200 SXM5 141 GB",
        "2335",
        140.4,
        4800,
        989,
        700,
        _copy(2_333_000, "DCGM's 2 333, read as GB/s", "2026-11-21"),
        *_azure(48, 335),
        **_HGX_HOPPER,
    ),
    _card(
        "h200-nvl-141",
        "H200 NVL 141 GB",
        "233b",
        140.4,
        4800,
        835,
        600,
        _copy(2_212_500),
        **_HOPPER,
        **_bridge(18, 26562),
    ),
    _card("gh200", "GH200", "2342", None, None, 989, None, _CALIBRATE, **_GRACE_HOPPER, **_bridge(18, 26562)),
    # Blackwell
    _card("b200-sxm-180", "B200 SXM 180 GB", "2901", 179, 8000, 2250, 1000, _copy(4_072_500), **_HGX_B200),
    _card("b300-sxm-270", "B300 SXM6 270 GB", "3182", 268.6, 8000, 2250, 1100, _copy(4_623_360), **_HGX_B300),
    _card("gb200", "GB200", "2941", 185, 8000, 2500, 1200, _copy(2_602_500), **_RACK, least_branch=570),
    _card("gb300", "GB300", "31c2 31c3", None, 8000, 2500, 1400, _CALIBRATE, **_RACK, least_branch=580),
)

BY_DEVICE_ID: dict[str, Card] = index(CARDS)
BY_KIND: dict[str, Card] = {card.kind: card for card in CARDS}


def find(name: str) -> Card | None:
    """Return the card of a kind (``h20-96``) or PCI device id (``2329``), or None."""
    return BY_KIND.get(name.lower()) or BY_DEVICE_ID.get(name.lower())
