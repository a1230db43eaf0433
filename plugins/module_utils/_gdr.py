# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways by which a network card reaches GPU memory, judged: dma-buf or nvidia_peermem.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS, WARN

#: What a profile may wish.
WAYS = ("any", "dma_buf", "peermem", "none")

SOURCE = "/proc/driver/nvidia/version, uname, /sys/module/nvidia_peermem"


class Answer(t.NamedTuple):
    """What the ways that there are are worth against a wish."""

    verdict: str
    observed: str
    remedy: str


def observed(read: t.Mapping[str, t.Any]) -> str:
    """Return the ways of ``_gpu_host_driver.gdr``, or "none"."""
    return ", ".join(name for name in ("dma_buf", "peermem") if read[name]) or "none"


def judge(read: t.Mapping[str, t.Any], wished: str) -> Answer:
    """Judge what ``_gpu_host_driver.gdr`` read against "any", "dma_buf" or "peermem".

    Two lawful paths: dma-buf (open module and kernel from 5.12) or nvidia_peermem registered with ib_core.
    """
    paths = [name for name in ("dma_buf", "peermem") if read[name]]
    if (wished == "any" and paths) or wished in paths:
        if "dma_buf" not in paths and not read["persistent"]:
            remedy = "Write nvidia-peermem into /etc/modules-load.d, or it is gone after a reboot."
            return Answer(WARN, "peermem, until the next reboot", remedy)
        return Answer(PASS, observed(read), "")
    if read["dma_buf"] is None and wished != "peermem":
        return Answer(NOT_VERIFIED, "flavour or kernel could not be read", "Load the driver.")
    remedy = "Use the open kernel module on a kernel from 5.12, or DOCA-OFED with nvidia-peermem loaded."
    return Answer(FAIL, observed(read), remedy)
