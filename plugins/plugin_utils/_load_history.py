# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Earlier load tests on the controller: ``<directory>/<time>/load_test.json``, one directory per run, never overwritten.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_history import LOOKED_AT, SHOWN, free
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import moment

NAME = "load_test"

#: What a document must have to be compared with.
NEEDED = {"started", "sweep", "host", "fleet", "points", "verdict"}


def read(
    directory: str, started: str, host: str, sweep: t.Mapping[str, t.Any], targets: t.Sequence[str]
) -> dict[str, t.Any]:
    """Return what is known from before, for a run that is about to be written.

    ``previous``: the newest older document of the same sweep, from the same host, with one of these targets, or {};
    ``history``: its like, newest first, as ``started``, ``verdict``, ``best`` (most output tokens per second per target);
    ``root`` and ``path``: where reports are and where the new one belongs; ``notes``: what could not be read, which never
    stops a new report.
    """
    root = pathlib.Path(directory).expanduser().absolute()
    notes: list[str] = []
    wanted = json.dumps([host, sweep], sort_keys=True)
    alike = []
    for path in sorted(root.glob(f"*/{NAME}.json"), reverse=True)[:LOOKED_AT]:
        found = _load(path, notes)
        if found is None or json.dumps([found["host"], found["sweep"]], sort_keys=True) != wanted:
            continue
        if moment(found["started"]) < moment(started) and set(found["fleet"]) & set(targets):
            alike.append(found)
    alike.sort(key=lambda one: moment(one["started"]), reverse=True)
    return {
        "previous": alike[0] if alike else {},
        "history": [_summary(one) for one in alike[:SHOWN]],
        "root": str(root),
        "path": str(free(root, started)),
        "notes": notes,
    }


def _summary(found: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {"started": found["started"], "verdict": found["verdict"], "best": best(found["points"])}


def best(points: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, float]:
    """Return per target the most output tokens per second of its points."""
    found: dict[str, float] = {}
    for one in points:
        figure = one.get("output_tokens_per_second")
        if figure is not None:
            found[one["target"]] = max(float(figure), found.get(one["target"], 0.0))
    return found


def _load(path: pathlib.Path, notes: list[str]) -> dict[str, t.Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not set(found) >= NEEDED:
            raise ValueError("it is no report of a load test")
        moment(found["started"])
        best(found["points"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        notes.append(f"{path} was left out of the comparison: {error}")
        return None
    return found
