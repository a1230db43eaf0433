# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of GPU memory: ECC, its error counters, row remapping and what remapping has left.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import REPLACE, RESET
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    Bad,
    Gpu,
    Judged,
    Node,
    good,
    per_gpu,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import is_unread
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, WARN

Read = t.Callable[[Gpu], t.Any]
Judge = t.Callable[[t.Any, Gpu], t.Optional[Bad]]


def _lacks_tables(gpu: Gpu) -> bool:
    return gpu.card is not None and not gpu.has_ecc_tables


def _statement(
    node: Node, read: Read, judge: Judge, well: str, remedy: str, source: str, may_lack: t.Callable[[Gpu], bool]
) -> Judged:
    """Return the finding over all GPUs; one that is good everywhere says ``well`` instead of numbers."""
    return good(per_gpu(node, read, judge, well, remedy, source, may_lack), well)


def _all_of(gpu: Gpu, *paths: tuple[str, ...]) -> t.Any:
    """Return the values at the paths as a list, or the first that could not be read."""
    values = [gpu.read(*path) for path in paths]
    return next((value for value in values if is_unread(value)), values)


def ecc_mode(node: Node) -> Judged:
    wished = node.profile.ecc

    def judge(modes: t.Any, gpu: Gpu) -> Bad | None:
        current, pending = (bool(mode) for mode in modes)
        if current == pending == wished:
            return None
        after = "" if current == pending else f", {'on' if pending else 'off'} after a reset"
        return Bad(FAIL, f"{'on' if current else 'off'}{after}", RESET)

    well = "on" if wished else "off"
    remedy = f"Set it with nvidia-smi --ecc-config={int(wished)} before the reset."
    return _statement(
        node, lambda gpu: gpu.read("ecc_mode"), judge, well, remedy, "nvmlDeviceGetEccMode", lambda gpu: not wished
    )


def uncorrected_sram(node: Node) -> Judged:
    def read(gpu: Gpu) -> t.Any:
        detailed = _all_of(gpu, ("sram_ecc", "threshold_exceeded"), ("sram_ecc", "volatile_uncorrected"))
        if not is_unread(detailed):
            return detailed
        plain = gpu.read("ecc", "volatile_uncorrected_sram")
        # Without the detailed call the count alone does not say whether the threshold is exceeded.
        return [0, plain] if not is_unread(plain) and plain else detailed

    def judge(values: t.Any, gpu: Gpu) -> Bad | None:
        exceeded, volatile = values
        if exceeded:
            return Bad(FAIL, "threshold exceeded", REPLACE)
        return Bad(FAIL, f"{volatile} since the driver was loaded", RESET) if volatile else None

    source = "nvmlDeviceGetSramEccErrorStatus"
    return _statement(node, read, judge, "none", "", source, _lacks_tables)


def uncorrected_dram(node: Node) -> Judged:
    def judge(volatile: t.Any, gpu: Gpu) -> Bad | None:
        return Bad(FAIL, f"{volatile} since the driver was loaded", RESET) if volatile else None

    return _statement(
        node,
        lambda gpu: gpu.read("ecc", "volatile_uncorrected_dram"),
        judge,
        "none",
        "The reset lets rows be remapped; then see `remapped rows`.",
        "nvmlDeviceGetMemoryErrorCounter",
        lambda gpu: not node.profile.ecc,
    )


def corrected(node: Node) -> Judged:
    limits = {place: node.profile.threshold(f"corrected_{place}") for place in ("dram", "sram")}

    def judge(counts: t.Any, gpu: Gpu) -> Bad | None:
        high = [
            f"{int(count)} in {place.upper()}"
            for count, (place, limit) in zip(counts, limits.items())
            if float(count) > limit
        ]
        return Bad(WARN, ", ".join(high)) if high else None

    return _statement(
        node,
        lambda gpu: _all_of(gpu, ("ecc", "aggregate_corrected_dram"), ("ecc", "aggregate_corrected_sram")),
        judge,
        f"at most {limits['dram']:.0f} in DRAM, {limits['sram']:.0f} in SRAM",
        "The card wears out: watch it, and plan its replacement.",
        "nvmlDeviceGetMemoryErrorCounter",
        lambda gpu: not node.profile.ecc or _lacks_tables(gpu),
    )


def remapped_rows(node: Node) -> Judged:
    limit = node.profile.threshold("remapped_uncorrectable")

    def judge(rows: t.Any, gpu: Gpu) -> Bad | None:
        uncorrectable, pending, failure = rows
        if failure:
            return Bad(FAIL, "a row could not be remapped", REPLACE)
        if uncorrectable >= limit:
            return Bad(FAIL, f"{uncorrectable} after uncorrectable errors", REPLACE)
        return Bad(FAIL, "pending", RESET) if pending else None

    names = ("uncorrectable", "pending", "failure")
    return _statement(
        node,
        lambda gpu: _all_of(gpu, *(("remapped_rows", name) for name in names)),
        judge,
        f"none pending, none failed, fewer than {limit:.0f}",
        "",
        "nvmlDeviceGetRemappedRows",
        _lacks_tables,
    )


def remap_headroom(node: Node) -> Judged:
    def judge(banks: t.Any, gpu: Gpu) -> Bad | None:
        low, none = banks
        return Bad(WARN, f"{none} banks without a spare row, {low} with few") if low or none else None

    return _statement(
        node,
        lambda gpu: _all_of(gpu, ("remap_histogram", "low"), ("remap_histogram", "none")),
        judge,
        "every bank has spare rows",
        "The next uncorrectable error there cannot be repaired: plan the card's replacement.",
        "nvmlDeviceGetRowRemapperHistogram",
        _lacks_tables,
    )


def repair_pending(node: Node) -> Judged:
    def judge(pending: t.Any, gpu: Gpu) -> Bad | None:
        parts = [part for part, waits in zip(("memory channel", "TPC"), pending) if waits]
        return Bad(FAIL, f"{' and '.join(parts)} repair pending", RESET) if parts else None

    return _statement(
        node,
        lambda gpu: _all_of(gpu, ("repair", "channel_pending"), ("repair", "tpc_pending")),
        judge,
        "none pending",
        "",
        "nvmlDeviceGetRepairStatus",
        _lacks_tables,
    )


def unrepairable(node: Node) -> Judged:
    def judge(flag: t.Any, gpu: Gpu) -> Bad | None:
        return Bad(FAIL, "memory that cannot be repaired", REPLACE) if flag else None

    source = "nvmlDeviceGetUnrepairableMemoryFlag_v1"
    return _statement(node, lambda gpu: gpu.read("unrepairable_memory"), judge, "none", "", source, _lacks_tables)


def retired_pages(node: Node) -> Judged:
    """Before Ampere pages are retired instead of rows remapped; later cards do not have the call."""

    def judge(pending: t.Any, gpu: Gpu) -> Bad | None:
        return Bad(FAIL, "pages wait to be retired", RESET) if pending else None

    source = "nvmlDeviceGetRetiredPagesPendingStatus"
    remaps = ("ampere", "ada", "hopper", "blackwell")
    return _statement(
        node,
        lambda gpu: gpu.read("retired_pages_pending"),
        judge,
        "none pending",
        "",
        source,
        lambda gpu: gpu.card is not None and gpu.card.architecture in remaps,
    )


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "ECC mode": ecc_mode,
    "uncorrected errors in SRAM": uncorrected_sram,
    "uncorrected errors in DRAM": uncorrected_dram,
    "corrected memory errors": corrected,
    "remapped rows": remapped_rows,
    "spare rows": remap_headroom,
    "memory repair": repair_pending,
    "unrepairable memory": unrepairable,
    "retired pages": retired_pages,
}
