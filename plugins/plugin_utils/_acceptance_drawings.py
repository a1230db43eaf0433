# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which drawings an acceptance page has, and which of the run's values go into each.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import re
import statistics
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_bars as bars
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_curve as curve
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_matrix as matrix

Document = t.Mapping[str, t.Any]
Drawing = bars.Drawing
Measurement = dict[str, t.Any]

#: Most rows of a drawing over nodes; with more nodes the slowest are shown.
MOST_ROWS = 32

#: Up to so many nodes the fabric is drawn per pair and HCA, beyond it per pair of nodes (the worst HCA counts).
FEW_NODES = 4

VERDICTS = ("pass", "warn", "not_verified", "fail")


def of_fleet(document: Document) -> list[Drawing]:
    """Return what is drawn over all nodes: all-reduce across them, matrices of pairs, the slowest of each node."""
    every = document["measurements"]
    found = _curves(_of_kind(every, "nccl_all_reduce"))
    for kind in ("rdma_write_bw", "rdma_write_lat"):
        for group in _drawn([one for one in _of_kind(every, kind) if one["peer"]]):
            found += _fabric(*group, document["fleet"])
    if len(document["fleet"]) > 1:
        for kind in ("gemm", "hbm_copy", "all_reduce"):
            for group in _drawn(_of_kind(every, kind)):
                found += _per_node(*group)
    return found


def of_node(document: Document, name: str) -> list[Drawing]:
    """Return what is drawn of one node: bars per GPU, temperatures, the matrix of its GPUs, its all-reduce."""
    mine = [one for one in document["measurements"] if one["node"] == name]
    found = []
    for kind in ("gemm", "hbm_copy"):
        found += [_per_gpu(*group) for group in _drawn(_of_kind(mine, kind))]
    cards = [one for one in _of_kind(mine, "temperature") if one["parameters"].get("statistic") != "spread"]
    found += [_temperatures(*group) for group in _drawn(cards)]
    for kind in ("h2d", "d2h"):
        found += [_per_gpu(*group) for group in _drawn(_of_kind(mine, kind))]
    found += [_pairs(*group) for group in _drawn(_of_kind(mine, "p2p"))]
    return [*found, *_curves(_of_kind(mine, "all_reduce"))]


def _curves(members: list[Measurement]) -> list[Drawing]:
    """Draw all series of a kind in one drawing per unit."""
    found = []
    lines = [one for one in members if _points(one)]
    for kind, unit in dict.fromkeys((one["kind"], one["unit"]) for one in lines):
        same = [one for one in lines if (one["kind"], one["unit"]) == (kind, unit)]
        series = [{"name": _line_name(one, same), "points": _points(one), "floor": _floor(one)} for one in same]
        found.append(curve.curve(f"{kinds.KINDS[kind].title}: bandwidth by message size", unit, series))
    return found


def _floor(one: Measurement) -> list[float] | None:
    at = one["parameters"].get("bytes")
    return [float(at), float(one["floor"])] if at and one["floor"] else None


def _points(one: Measurement) -> list[list[float]]:
    return [[float(x), float(y)] for x, y in one["series"] if x and y is not None and float(x) > 0]


def _line_name(one: Measurement, others: list[Measurement]) -> str:
    said = one["parameters"]
    words = [str(said["algorithm"])] if said.get("algorithm") else []
    words += ["NVLS"] if said.get("nvls") else []
    words += [str(one["subject"])] if one["subject"] else []
    if len({(other["node"], other["peer"]) for other in others}) > 1:
        words.append(f"{one['node']} to {one['peer']}" if one["peer"] else str(one["node"]))
    return ", ".join(words) or kinds.label(one)


def _fabric(label: str, unit: str, members: list[Measurement], fleet: t.Mapping[str, t.Any]) -> list[Drawing]:
    better = kinds.kind_of(members[0]).better
    cells: dict[tuple[str, str], dict[str, t.Any]] = {}
    few = len(fleet) <= FEW_NODES
    for one in members:
        start, _arrow, end = str(one["subject"]).partition(" -> ")
        rail = start if start == end else str(one["subject"])
        place = (f"{one['node']} → {one['peer']}", rail) if few else (str(one["node"]), str(one["peer"]))
        cells[place] = _worse_cell(cells.get(place), {"value": kinds.value(one), "verdict": one["verdict"]}, better)
    rows, columns = _axes(cells, square=not few)
    if max(len(rows), len(columns)) > matrix.MOST:
        return []
    title = f"{label}, per pair" + ("" if few else " of nodes (its worst HCA)")
    return [matrix.matrix(title, unit, rows, columns, cells, better)]


def _pairs(label: str, unit: str, members: list[Measurement]) -> Drawing:
    cells = {}
    for one in members:
        start, _arrow, end = str(one["subject"]).partition(" -> ")
        cells[start, end or start] = {"value": kinds.value(one), "verdict": one["verdict"]}
    return matrix.matrix(f"{label}, from row to column", unit, *_axes(cells, square=True), cells)


def _per_gpu(label: str, unit: str, members: list[Measurement]) -> Drawing:
    rows = [_bar(str(one["subject"]), one) for one in members]
    return bars.bars(f"{label} per GPU", unit, sorted(rows, key=lambda row: natural(row["label"])))


def _per_node(label: str, unit: str, members: list[Measurement]) -> list[Drawing]:
    rows = []
    for name in dict.fromkeys(one["node"] for one in members):
        mine = [one for one in members if one["node"] == name]
        slowest = min(_measured(mine), key=lambda one: float(one["value"]), default=mine[0])
        rows.append(_bar(str(name), slowest) | {"verdict": _worst(one["verdict"] for one in mine)})
    if len(rows) < 2:
        return []
    title = f"{label}, the slowest of each node" if len(members) > len(rows) else f"{label}, per node"
    if len(rows) > MOST_ROWS:
        rows = sorted(rows, key=lambda row: row["value"] or 0.0)[:MOST_ROWS]
        title += f" (the last {MOST_ROWS})"
    return [bars.bars(title, unit, rows)]


def _temperatures(label: str, unit: str, members: list[Measurement]) -> Drawing:
    """Draw the readings of each card: what its series saw over time, else its samples, else its one value."""
    rows = []
    for one in _measured(members):
        readings = [float(y) for _x, y in one["series"]] or [float(x) for x in one["samples"]] or [float(one["value"])]
        rows.append(
            {
                "label": str(one["subject"]),
                "low": min(readings),
                "middle": statistics.median(readings),
                "high": max([*readings, float(one["value"])]),
                "verdict": one["verdict"],
            }
        )
    return bars.ranges(f"{label} per GPU", unit, sorted(rows, key=lambda row: natural(row["label"])))


def _bar(name: str, one: Measurement) -> dict[str, t.Any]:
    return {"label": name, "value": kinds.value(one), "floor": one["floor"], "verdict": one["verdict"]}


def _worse_cell(before: dict[str, t.Any] | None, new: dict[str, t.Any], better: str) -> dict[str, t.Any]:
    if before is None:
        return new
    figures = [one["value"] for one in (before, new) if one["value"] is not None]
    figure = (max if better == "lower" else min)(figures) if figures else None
    return {"value": figure, "verdict": _worst(one["verdict"] for one in (before, new))}


def _axes(cells: t.Iterable[tuple[str, str]], square: bool) -> tuple[list[str], list[str]]:
    rows = sorted({row for row, _column in cells}, key=natural)
    columns = sorted({column for _row, column in cells}, key=natural)
    both = sorted({*rows, *columns}, key=natural)
    return (both, both) if square else (rows, columns)


def _of_kind(measurements: t.Iterable[Measurement], kind: str) -> list[Measurement]:
    return [one for one in measurements if one["kind"] == kind]


def _measured(members: t.Iterable[Measurement]) -> list[Measurement]:
    return [one for one in members if kinds.value(one) is not None]


def _ends(one: Measurement) -> tuple[t.Any, ...]:
    return (one["node"], one["peer"], one["subject"])


def _drawn(members: t.Iterable[Measurement]) -> list[tuple[str, str, list[Measurement]]]:
    """Return (label, unit, members) of what may stand in one drawing: values of equal parameters and unit.

    What could not be measured often lacks parameters: it joins the first drawing that it may belong to.
    """
    found: dict[str, list[Measurement]] = {}
    every = list(members)
    for one in _measured(every):
        found.setdefault(json.dumps([kinds.parameters(one), one["unit"]], sort_keys=True), []).append(one)
    for one in every:
        if kinds.value(one) is None:
            said = kinds.parameters(one).items()
            homes = (many for many in found.values() if said <= kinds.parameters(many[0]).items())
            home = next((many for many in homes if all(_ends(one) != _ends(other) for other in many)), None)
            if home is not None:
                home.append(one)
    return [(kinds.label(many[0]), str(many[0]["unit"]), many) for many in found.values()]


def _worst(verdicts: t.Iterable[str]) -> str:
    return max(verdicts, key=VERDICTS.index)


def natural(text: str) -> list[tuple[int, str]]:
    """Return a key that sorts ``gpu 2`` before ``gpu 10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]
