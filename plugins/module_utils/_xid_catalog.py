# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Xids and SXids as data: what each means, how bad it is, and what to do.

Source: NVIDIA's Xid catalogue as of 2025-10-29 (numbers, meanings, immediate actions); where the column ``verdict``
differs from NVIDIA's ``IGNORE`` it is our choice, made from the readings of AWS (r590), Crusoe and Azure of 2026.
SXids: NVIDIA's Fabric Manager guide as read by gpud on 2026-08-22. A number that stands here with ``pass`` is an
application's fault; a number that does not stand here is ``warn``, never silent.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import (
    DRAIN,
    HANDS_ON,
    NONE,
    REBOOT,
    REPLACE,
    RESET,
    RESTART_APPLICATION,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, PASS, WARN

#: Of NVIDIA's catalogue; the day on which these rows were read.
XID_CATALOG_DATE = "2025-10-29"
SXID_CATALOG_DATE = "2026-08-22"


@dataclasses.dataclass(frozen=True)
class Xid:
    """One row: what the number means, the verdict that it earns and the action that NVIDIA names first."""

    number: int
    meaning: str
    verdict: str
    action: str


def _rows(verdict: str, action: str, meanings: dict[int, str]) -> dict[int, Xid]:
    return {number: Xid(number, meaning, verdict, action) for number, meaning in meanings.items()}


_ENGINES = {
    **{number: f"copy engine {number - 39}" for number in (39, 40, 41)},
    70: "copy engine 3",
    71: "copy engine 4",
    72: "copy engine 5",
    75: "copy engine 6",
    76: "copy engine 7",
    77: "copy engine 8",
    85: "copy engine 9",
    **{number: f"copy engine {number - 116}" for number in range(126, 136)},
    68: "video decoder 0",
    83: "video decoder 1",
    84: "video decoder 2",
    88: "video decoder 3",
    89: "video decoder 4",
    96: "video decoder 5",
    97: "video decoder 6",
    98: "video decoder 7",
    82: "JPEG decoder 0",
    86: "optical flow 0",
    139: "optical flow 1",
    142: "video encoder 3",
    **{number: f"JPEG decoder {number - 98}" for number in range(99, 106)},
}

XIDS: dict[int, Xid] = {
    **_rows(
        PASS,
        RESTART_APPLICATION,
        {
            8: "GPU stopped processing",
            11: "invalid push buffer stream",
            13: "graphics engine exception",
            25: "illegal push buffer stream",
            31: "memory page fault of an application",
            32: "invalid push buffer stream",
            43: "GPU stopped processing for an application",
            45: "preemptive clean-up after an earlier error",
            60: "video processor exception",
            69: "graphics engine class error",
            80: "corrupted data sent to the GPU",
            **{number: f"{engine} exception" for number, engine in _ENGINES.items()},
        },
    ),
    **_rows(
        PASS,
        NONE,
        {
            37: "driver firmware error",
            66: "illegal access by the driver",
            106: "SMBPBI test message",
            107: "SMBPBI test message",
            108: "NVLink remote translation error",
            137: "NVLink privilege error",
            141: "CUDA fast path error",
            162: "power smoothing engaged again",
            163: "power smoothing disengaged",
            164: "power smoothing: low lifetime",
        },
    ),
    **_rows(
        WARN,
        NONE,
        {
            38: "driver firmware watchdog",
            44: "fault during a context switch",
            67: "illegal access by the driver",
            92: "high rate of single-bit memory errors",
            93: "InfoROM wears out",
            121: "chip-to-chip link error",
            152: "DLA SMMU error",
            153: "DLA timeout",
            159: "CHI non-data error",
            160: "memory channel retired",
            165: "power smoothing: lifetime exhausted",
            170: "NVLink interrupt in confidential computing",
        },
    ),
    **_rows(WARN, RESTART_APPLICATION, {94: "contained memory error"}),
    **_rows(WARN, RESET, {63: "memory row remapped, waits for a reset", 78: "vGPU could not start"}),
    **_rows(
        FAIL,
        RESET,
        {
            46: "GPU stopped processing",
            48: "double-bit memory error",
            62: "internal micro-controller halted",
            74: "NVLink error",
            95: "uncontained memory error",
            109: "context switch timed out",
            110: "security fault",
            119: "GSP does not answer",
            120: "GSP error",
            136: "NVLink training failed",
            140: "unrecovered memory error",
            143: "GPU could not be initialised",
            155: "NVLink error defined by software",
            156: "a resource was retired, waits for a reset",
            158: "fatal timeout of the GPU",
            166: "NVLink traffic before encryption was set up",
            169: "SEC2 micro-controller halted",
            171: "uncorrectable error in DRAM",
            172: "uncorrectable error in SRAM",
        },
    ),
    **_rows(
        FAIL,
        REBOOT,
        {
            79: "GPU has fallen off the bus",
            151: "key rotation failed",
            167: "fatal timeout on PCIe",
            168: "less GPU memory: errors in the write-protected region",
        },
    ),
    **_rows(FAIL, HANDS_ON, {54: "auxiliary power is not connected"}),
    **_rows(
        FAIL,
        REPLACE,
        {
            64: "memory row could not be remapped",
            157: "a resource could not be retired",
            161: "memory channel could not be retired",
        },
    ),
    # NVLink 5: the line says itself how bad it is; see ``_xid.judge_event``.
    **_rows(
        WARN,
        RESET,
        {
            number: f"NVLink 5 error in {unit}"
            for number, unit in enumerate(("SAW", "RLW", "TLW", "TREX", "NVLPW_CTRL", "NETIR", "MSE"), start=144)
        },
    ),
    # The driver's own verdict: the text names the action; DRAIN stands for a text that nobody knows.
    **_rows(FAIL, DRAIN, {154: "recovery action changed"}),
}

NVLINK5_XIDS = frozenset(range(144, 151))
RECOVERY_XID = 154

#: SXids of an NVSwitch after which the host must be restarted, whatever the line says.
FATAL_SXIDS = frozenset({12020, 22003, 22011, *range(23001, 23018)})

#: SXids that may kill jobs: NVIDIA asks to look at the GPUs connected to the link.
SEVERE_SXIDS = frozenset(
    {
        *(11001, 11009, 11013, 11018, 11019, 11020, 12001, 12002, 12022, *range(12024, 12033), 14017),
        *(15001, 15006, *range(15009, 15014), 19047, 19048, 19054, 19056, 19058, 19060, 19061, 19063),
        *(19064, 19066, 19067, 19069, 19070, 20034, *range(24004, 24008)),
    }
)
