# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of what happened: counters that grew, links that were lost, what the driver warns of.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_counters import SOURCE, too_fast
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_common import (
    Bad,
    Finding,
    Judged,
    Node,
    over,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_roles import interfaces
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS, WARN, worst

_DAY_SECONDS = 86400.0

_LOST = re.compile(r"[Ll]ink (?:is )?[Dd]own|[Ll]ost carrier")

#: What the driver warns of → what to do. mlx5_core of Linux 6.8, drivers/net/ethernet/mellanox/mlx5/core.
_WARNINGS: tuple[tuple[str, str], ...] = (
    (r"insufficient power on the PCIe slot", "The slot gives too little power: BIOS, riser, power cable."),
    (r"High Temperature", "The transceiver is too hot: airflow, cable."),
    (r"Port module event\[error\]|Cable error", "Cable or transceiver is refused: reseat or replace it."),
    (r"limited by .* PCIe", "The card's slot is slower than the card: see `HCA PCIe link`."),
    (
        r"health compromised|FW fatal|synd 0x[0-9a-f]*[1-9a-f]",
        "The card's firmware is ill: mlxfwmanager, reset, replace.",
    ),
)


def counters(node: Node) -> Judged:
    """Absolute values say little: they count since the last reset, whenever that was."""
    read = node.read["counters"]
    if read["grown"] is None:
        why = read["problem"] or "read once only; without a second reading nobody knows when they grew"
        remedy = "Set interval_seconds, or baseline to a file with earlier facts.counters."
        return Finding(NOT_VERIFIED, why, "no growth that counts", remedy, SOURCE)
    values = {label: (read["grown"].get(label, {}), read["now"]["refused"].get(label, [])) for label in node.ports}

    def judge(_label: str, value: tuple[dict[str, int], list[str]]) -> Bad | None:
        grown, refused = value
        exceeded = too_fast(grown, read["seconds"])
        if exceeded:
            return Bad(worst(exceeded.values()), {name: f"+{grown[name]}" for name in exceeded})
        if refused:
            return Bad(NOT_VERIFIED, f"the function refuses {', '.join(refused)}")
        return None if "link_downed" in grown else Bad(NOT_VERIFIED, "no counters, or none in the baseline")

    looked = f"in {read['seconds']:.0f} s"
    remedy = "Clean or reseat the cable, then replace it; if it stays, look at the switch's port and the transceiver."
    return over(values, judge, f"no growth that counts {looked}", remedy, SOURCE, f"none that counts {looked}")


def _unread_log(node: Node, expected: str) -> Finding | None:
    log = node.read["log"]
    if log["source"]:
        return None
    why = log["problem"] or "neither journal nor /dev/kmsg could be read"
    return Finding(NOT_VERIFIED, why, expected, "Read it as root, or start systemd-journald.", "journal, /dev/kmsg")


def _names(one: t.Mapping[str, t.Any]) -> re.Pattern[str]:
    """Return what a line says when it means this HCA: its PCI address or one of its interfaces."""
    words = [word for word in (one["address"], *interfaces(one)) if word]
    return re.compile(r"(?<![\w.:])(?:" + "|".join(re.escape(word) for word in words) + r")(?![\w.])")


def _lines(node: Node) -> dict[str, list[t.Mapping[str, t.Any]]]:
    """Return {HCA for GPUs: lines that mean it}."""
    found = {}
    for name, one in node.hcas.items():
        meant = _names(one)
        found[name] = [line for line in node.read["log"]["lines"] if meant.search(line["text"])]
    return found


def _incomplete(node: Node, found: Finding) -> Finding:
    """Nothing found in a log that lost lines is no proof."""
    if found.verdict != PASS or node.read["log"]["complete"]:
        return found
    why = "none in what is left; lines of this boot were lost"
    return Finding(NOT_VERIFIED, why, found.expected, "Let journald keep more (SystemMaxUse=).", found.source)


def flaps(node: Node) -> Judged:
    most = int(node.profile.flaps_per_day)
    expected = f"fewer than {most} a day"
    unread = _unread_log(node, expected)
    if unread:
        return unread
    since = node.read["boot"]["uptime_seconds"] - _DAY_SECONDS
    lost = {
        name: sum(bool(_LOST.search(line["text"])) and line["uptime_seconds"] >= since for line in lines)
        for name, lines in _lines(node).items()
    }
    remedy = "The link comes and goes: clean or replace cable and transceiver, look at the switch's log."
    source = f"{node.read['log']['source']}, last 24 h"
    found = over(lost, lambda _name, count: Bad(FAIL, count) if count >= most else None, expected, remedy, source)
    return _incomplete(node, found)


def warnings(node: Node) -> Judged:
    unread = _unread_log(node, "none since the boot")
    if unread:
        return unread
    said = {
        name: {line["text"]: remedy for line in lines for words, remedy in _WARNINGS if re.search(words, line["text"])}
        for name, lines in _lines(node).items()
    }
    remedy = " ".join(sorted({remedy for of_hca in said.values() for remedy in of_hca.values()}))
    found = over(
        said,
        lambda _name, of_hca: Bad(WARN, sorted(of_hca)[:3]) if of_hca else None,
        "none since the boot",
        remedy,
        node.read["log"]["source"],
        "none",
    )
    return _incomplete(node, found)


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "error counters": counters,
    "link flaps": flaps,
    "driver's warnings": warnings,
}
