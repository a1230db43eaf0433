# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a judged load test to what its page and its Markdown form show, as plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance as acceptance
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_tables as tables
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_drawings as drawings
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import number, with_unit
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_page import OUTCOMES, SIGNS, WORDS
from ansible_collections.gpufleet.inference.plugins.plugin_utils._load_history import best

Document = t.Mapping[str, t.Any]

#: The columns of the table of points: title and metric.
COLUMNS = (
    *(("Requests/s", "requests_per_second"), ("Output tokens/s", "output_tokens_per_second")),
    ("Tokens/s in and out", "total_tokens_per_second"),
    *(
        (f"{title} {part}", f"{name}_{part}_ms")
        for title, name in (("TTFT", "ttft"), ("TPOT", "tpot"))
        for part in ("p50", "p95", "p99")
    ),
    *(("ITL p99", "itl_p99_ms"), ("E2E p50", "e2el_p50_ms"), ("E2E p95", "e2el_p95_ms"), ("E2E p99", "e2el_p99_ms")),
)

#: Requests of so many loads get drawings of their own; of more, the first, the middle and the last.
DRAWN_LOADS = 4


def page(document: Document) -> dict[str, t.Any]:
    """Return all that the template needs; nothing in it is markup."""
    shown = {
        "title": f"Load test {OUTCOMES[document['verdict']]}: {', '.join(document['fleet'])}",
        "verdict": document["verdict"],
        "words": WORDS,
        "signs": SIGNS,
        "started": document["started"],
        "host": document["host"],
        "tool": document["tool"],
        "counts": [(verdict, document["counts"][verdict]) for verdict in reversed(acceptance.VERDICTS)],
        "findings": tables.findings(document["checks"], ("fail", "warn")),
        "unverified": tables.findings(document["checks"], ("not_verified",)),
        "targets": [{"name": name, "facts": _facts(facts)} for name, facts in document["fleet"].items()],
        "columns": [title for title, _metric in COLUMNS],
        "slo": ", ".join(f"{name.removesuffix('_ms').upper()} {limit:g} ms" for name, limit in document["slo"].items()),
        "points": [_point(one, document) for one in document["points"]],
        "drawings": _drawings(document["points"]),
        "versus": _versus(document),
        "comparison": document["comparison"] and _comparison(document["comparison"]),
        "history": _history(document),
        "statements": document["statements"],
        "commands": list(dict.fromkeys(f"{one['label']}: {one['command']}" for one in document["points"])),
        "notes": document["notes"],
    }
    for place, one in enumerate(shown["drawings"], 1):
        one["id"] = f"drawing{place}"
    return shown


def _facts(facts: t.Mapping[str, t.Any]) -> str:
    parts = [str(facts.get("url") or ""), f"model {facts['model']}"]
    parts += [
        f"{key.replace('_', ' ')} {facts[key]}"
        for key in sorted(facts)
        if key not in ("url", "model", "route") and facts[key]
    ]
    return ", ".join(filter(None, parts))


def _point(one: kinds.Point, document: Document) -> dict[str, t.Any]:
    mine = [
        check["verdict"]
        for check in document["checks"]
        if check["node"] == one["target"] and check["subject"] == f"{one['mix']}, {kinds.load_text(one)}"
    ]
    share = kinds.good_share(one)
    asked = one["completed"] + one["failed"]
    return {
        "verdict": acceptance.worst(mine),
        "target": one["target"],
        "mix": one["mix"],
        "load": kinds.load_text(one),
        "answered": f"{one['completed']} of {asked}" if asked else "–",
        "good": f"{share * 100:.0f} %" if share is not None else "–",
        "cells": [number(kinds.value(one, metric)) for _title, metric in COLUMNS],
        "problem": one["problem"],
    }


def _drawings(points: t.Sequence[kinds.Point]) -> list[dict[str, t.Any]]:
    found = drawings.over_load(points)
    for mix in dict.fromkeys(one["mix"] for one in points):
        loads = list(dict.fromkeys((one["loop"], one["load"]) for one in points if one["mix"] == mix))
        if len(loads) > DRAWN_LOADS:
            loads = [loads[0], loads[len(loads) // 2], loads[-1]]
        for load in loads:
            found += drawings.of_load(
                [one for one in points if one["mix"] == mix and (one["loop"], one["load"]) == load]
            )
    return found


def _versus(document: Document) -> dict[str, t.Any]:
    names = list(document["fleet"])
    rows = []
    for row in document["versus"]:
        cells = [with_unit(row["values"][names[0]], row["unit"])]
        for name in names[1:]:
            change = row["changes"][name]
            cells.append(with_unit(row["values"][name], row["unit"]) + (f" ({change})" if change else ""))
        rows.append({"point": row["point"], "title": row["title"], "cells": cells})
    return {"columns": names, "rows": rows} if rows else {}


def _comparison(compared: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    rows = [
        {
            **{key: row[key] for key in ("verdict", "target", "point", "title", "change")},
            "before": with_unit(row["before"], row["unit"]),
            "now": with_unit(row["now"], row["unit"]),
        }
        for row in compared["rows"]
    ]
    return {**{key: compared[key] for key in ("with", "changes", "missing")}, "rows": rows}


def _history(document: Document) -> dict[str, t.Any]:
    names = list(document["fleet"])
    runs = [{key: document[key] for key in ("started", "verdict")} | {"best": best(document["points"])}]
    rows = [
        {
            "started": one["started"],
            "verdict": one["verdict"],
            "cells": [number(one["best"].get(name)) for name in names],
        }
        for one in [*runs, *document["history"]]
    ]
    return {"columns": names, "rows": rows}
