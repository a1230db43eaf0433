# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of the kernel's log: what the driver said of GPUs (Xid) and of NVSwitches (SXid) since the boot.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import NONE, strongest
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import Finding, Judged, Node, Skip
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import NOT_VERIFIED, PASS, worst
from ansible_collections.gpufleet.inference.plugins.module_utils._xid import (
    Event,
    Meaning,
    events,
    judge_events,
    shared_address,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._xid_catalog import SXID_CATALOG_DATE, XID_CATALOG_DATE


def happened(node: Node, kind: str) -> list[Event]:
    """Return the events of a kind since the boot and since ``expect.since``; one without a time counts."""
    since = node.profile.since
    found = [event for event in events(node.host["kernel_log"]["lines"]) if event["kind"] == kind]
    return [event for event in found if since is None or event["time"] is None or event["time"] >= since]


def recovery_actions(node: Node) -> dict[int, str]:
    """Return {GPU: the strongest action that Xids ask for}; only of GPUs with one."""
    together = judge_events(happened(node, "xid"), node.profile.xids)
    indexes = _indexes(node)
    return {
        indexes[pci]: meaning.action
        for pci, meaning in together.items()
        if pci in indexes and meaning.action != NONE and meaning.verdict != PASS
    }


def _indexes(node: Node) -> dict[str, int]:
    return {
        shared_address(str(gpu["pci"])): int(gpu["index"])
        for gpu in node.nvml["gpus"]
        if isinstance(gpu.get("pci"), str)
    }


def _judge(node: Node, kind: str, remedy: str, source: str) -> Finding:
    log, expected = node.host["kernel_log"], "none since the boot"
    if not log["source"]:
        why = log["problem"] or "neither journal nor /dev/kmsg could be read"
        return Finding(NOT_VERIFIED, why, expected, "Read it as root, or start systemd-journald.", "journal, /dev/kmsg")
    source = f"{log['source']}, {source}"
    together = judge_events(happened(node, kind), node.profile.xids)
    bad = {pci: meaning for pci, meaning in together.items() if meaning.verdict != PASS}
    if bad:
        verdict = worst(meaning.verdict for meaning in bad.values())
        return _finding(node, verdict, bad, expected, remedy, source)
    if not log["complete"]:
        why = "none in what is left; lines of this boot were lost"
        return Finding(NOT_VERIFIED, why, expected, "Let journald keep more (SystemMaxUse=).", source)
    observed = ", ".join(sorted({meaning.text for meaning in together.values()})) or "none"
    return Finding(PASS, observed, expected, source=source)


def _finding(
    node: Node, verdict: str, bad: t.Mapping[str, Meaning], expected: str, remedy: str, source: str
) -> Finding:
    indexes = _indexes(node)
    observed = {str(indexes.get(pci, pci)): meaning.text for pci, meaning in bad.items()}
    action = strongest(meaning.action for meaning in bad.values())
    sick = tuple(sorted(indexes[pci] for pci in bad if pci in indexes))
    return Finding(verdict, observed, expected, remedy, source, action, sick)


def xids(node: Node) -> Judged:
    remedy = "Once it is dealt with, set since in expect to the time of that."
    return _judge(node, "xid", remedy, f"catalogue of {XID_CATALOG_DATE}")


def sxids(node: Node) -> Judged:
    if not node.host["nvswitches"] and not happened(node, "sxid") and (node.gpus or node.host["gpus"] == []):
        return Skip("there is no NVSwitch on PCI")
    remedy = "Look at the NVSwitch and the links that the line names; reseat or replace the board if it comes back."
    return _judge(node, "sxid", remedy, f"catalogue of {SXID_CATALOG_DATE}")


JUDGES: dict[str, t.Callable[[Node], Judged]] = {"Xids": xids, "SXids": sxids}
