# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Earlier runs on the controller: ``<directory>/<time>/acceptance.json``, one directory per run, never overwritten.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_baseline
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import moment

NAME = "acceptance"

#: How many older runs a page lists, and how many directories are looked at to find them.
SHOWN, LOOKED_AT = 8, 200

#: What must be equal before two runs are of the same fleet. A driver may differ: its effect is what one wants to see.
SAME = ("gpu", "gpus", "nics", "nic_gbps")


def read(directory: str, baseline_path: str, run: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what is known from before, for a run that is about to be written.

    ``previous``: the newest older document of the same fleet and tier, or {}; ``history``: its like, newest first, as
    ``started``, ``verdict``, ``headline``; ``baseline``: or {}; ``root``: the directory, absolute; ``path``: one
    in it that does not exist yet; ``notes``: what could not be read. A file that is no report is a note, never an error: an
    old report must not stop a new one.
    """
    root = pathlib.Path(directory).expanduser().absolute()
    notes: list[str] = []
    alike = []
    for path in _reports(root):
        found = _load(path, notes)
        if found is not None and _same(found, run) and moment(found["started"]) < moment(run["started"]):
            alike.append(found)
        if len(alike) == SHOWN:
            break
    alike.sort(key=lambda one: moment(one["started"]), reverse=True)
    return {
        "previous": alike[0] if alike else {},
        "history": [{key: one.get(key) for key in ("started", "verdict", "headline")} for one in alike],
        "baseline": _baseline(baseline_path, notes),
        "root": str(root),
        "path": str(free(root, str(run["started"]))),
        "notes": notes,
    }


def free(root: pathlib.Path, started: str) -> pathlib.Path:
    """Return the directory of a run, named by its time; with a number when there is one of that second already."""
    stamp = moment(started).strftime("%Y%m%dT%H%M%SZ")
    path = root / stamp
    count = 2
    while path.exists():
        path, count = root / f"{stamp}-{count}", count + 1
    return path


def _reports(root: pathlib.Path) -> list[pathlib.Path]:
    try:
        return sorted(root.glob(f"*/{NAME}.json"), reverse=True)[:LOOKED_AT]
    except OSError:
        return []


def _load(path: pathlib.Path, notes: list[str]) -> dict[str, t.Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        notes.append(f"{path} could not be read: {error}")
        return None
    if not _is_report(found):
        notes.append(f"{path} is no acceptance report; it was left out of the comparison")
        return None
    return dict(found)


def _is_report(found: t.Any) -> bool:
    try:
        moment(found["started"])
    except (TypeError, KeyError, ValueError):
        return False
    return isinstance(found, dict) and {"tier", "fleet", "measurements", "checks"} <= set(found)


def _same(one: t.Mapping[str, t.Any], run: t.Mapping[str, t.Any]) -> bool:
    return one["tier"] == run["tier"] and _identity(one["fleet"]) == _identity(run["fleet"])


def _identity(fleet: t.Mapping[str, t.Any]) -> dict[str, list[t.Any]]:
    return {name: [(facts or {}).get(key) for key in SAME] for name, facts in fleet.items()}


def _baseline(path: str, notes: list[str]) -> dict[str, t.Any]:
    file = pathlib.Path(path).expanduser() if path else None
    if file is None or not file.exists():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        wrong = _acceptance_baseline.problem(found)
    except (OSError, ValueError) as error:
        found, wrong = {}, str(error)
    if wrong:
        notes.append(f"{file} is not used as baseline: {wrong}")
        return {}
    return dict(found)
