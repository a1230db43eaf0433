# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a judged document to what the acceptance page shows, as plain data: texts, tables, drawings.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance as acceptance
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_drawings as drawings
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_tables as tables

#: More nodes than this, and only those that did not pass get drawings of their own.
DRAWN_NODES = 16

#: A sign beside each colour: a verdict is readable without colours.
SIGNS = {"pass": "✓", "warn": "!", "not_verified": "?", "fail": "✗"}
WORDS = {"pass": "passed", "warn": "warning", "not_verified": "not verified", "fail": "failed"}
#: A whole run with warnings is good enough.
OUTCOMES = {**WORDS, "warn": "passed with warnings"}


def page(document: acceptance.Document) -> dict[str, t.Any]:
    """Return all that the template needs; nothing in it is markup."""
    names = list(document["fleet"])
    drawn = names
    if len(names) > DRAWN_NODES:
        drawn = [name for name in names if document["nodes"][name]["verdict"] in ("warn", "fail")][:DRAWN_NODES]
    shown = {
        "title": f"Acceptance {OUTCOMES[document['verdict']]}: {fleet_text(document['fleet'])}",
        "verdict": document["verdict"],
        "words": WORDS,
        "signs": SIGNS,
        "fleet": fleet_text(document["fleet"]),
        "tier": document["tier"],
        "started": document["started"],
        "counts": [(verdict, document["counts"][verdict]) for verdict in reversed(acceptance.VERDICTS)],
        "findings": tables.findings(document["checks"], ("fail", "warn")),
        "unverified": tables.findings(document["checks"], ("not_verified",)),
        "overview": tables.overview(document),
        "comparison": document["comparison"] and tables.comparison(document["comparison"]),
        "history": tables.history(document),
        "drawings": drawings.of_fleet(document),
        "nodes": [_node(document, name) for name in drawn],
        "not_drawn": len(names) - len(drawn),
        "statements": document["statements"],
        "method": tables.method(document["measurements"]),
        "baseline": document["baseline"],
        "notes": document["notes"],
    }
    return _numbered(shown)


def fleet_text(fleet: t.Mapping[str, t.Any]) -> str:
    """Return the fleet in words: ``2 nodes, each 8 × NVIDIA H20, 4 × 400 Gb/s``."""
    kinds_of_nodes = list(dict.fromkeys(_node_text(facts) for facts in fleet.values()))
    count = f"{len(fleet)} node{'' if len(fleet) == 1 else 's'}"
    if len(kinds_of_nodes) == 1 and kinds_of_nodes[0]:
        return f"{count}{', each' if len(fleet) > 1 else ','} {kinds_of_nodes[0]}"
    return f"{count} of {len(kinds_of_nodes)} kinds" if len(kinds_of_nodes) > 1 else count


def _node_text(facts: t.Mapping[str, t.Any]) -> str:
    parts = [f"{facts.get('gpus') or '?'} × {facts['gpu']}"] if facts.get("gpu") else []
    if facts.get("nics"):
        rate = f" {kinds.number(facts['nic_gbps'])} Gb/s" if facts.get("nic_gbps") else " NICs"
        parts.append(f"{facts['nics']} ×{rate}")
    return ", ".join(parts)


def _node(document: acceptance.Document, name: str) -> dict[str, t.Any]:
    facts = document["fleet"][name]
    driver = f"driver {facts['driver']}" if facts.get("driver") else ""
    return {
        "name": name,
        "verdict": document["nodes"][name]["verdict"],
        "facts": ", ".join(one for one in (_node_text(facts), driver) if one) or "nothing is known about it",
        "problem": facts.get("problem", ""),
        "drawings": drawings.of_node(document, name),
        "undrawn": tables.undrawn(document, name),
    }


def _numbered(shown: dict[str, t.Any]) -> dict[str, t.Any]:
    """Give every drawing an id of its own: titles and descriptions are found by it."""
    every = [*shown["drawings"], *(one for node in shown["nodes"] for one in node["drawings"])]
    for place, one in enumerate(every, 1):
        one["id"] = f"drawing{place}"
    return shown
