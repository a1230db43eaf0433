# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A load test as a Markdown page: everything but the drawings.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_text import cell, finding_lines, table

Page = t.Mapping[str, t.Any]


def to_markdown(page: Page) -> str:
    """Return the page as Markdown."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in page["counts"] if count) or "nothing was checked"
    slo = f" SLO: {page['slo']}." if page["slo"] else ""
    lines = [
        f"# {cell(page['title'])}",
        "",
        f"{page['started']}, load from {cell(page['host'])} with {cell(page['tool'])}: {counts}.{slo}",
        "",
        *(f"- {cell(one['name'])}: {cell(one['facts'])}" for one in page["targets"]),
        *finding_lines("To look at", page["findings"]),
        *finding_lines("Not verified", page["unverified"]),
        "",
        "## Points",
        "",
        "Latencies in milliseconds.",
        "",
    ]
    columns = ["verdict", "target", "lengths", "load", "answered", "within SLO", *page["columns"]]
    lines += table(columns, (_point(one) for one in page["points"]))
    if page["versus"]:
        rows = ([one["point"], one["title"], *one["cells"]] for one in page["versus"]["rows"])
        lines += ["", "## Side by side", "", *table(["load", "figure", *page["versus"]["columns"]], rows)]
    if page["comparison"]:
        compared = page["comparison"]
        columns = ["verdict", "target", "point", "title", "before", "now", "change"]
        lines += [
            "",
            f"## Against {cell(compared['with'])}",
            "",
            *(f"- {cell(one)}" for one in compared["changes"]),
            "",
        ]
        lines += table(columns, ([row[key] for key in columns] for row in compared["rows"]))
        lines += ["", *(f"- measured then and not now: {cell(one)}" for one in compared["missing"])]
    columns = ["started", "verdict", *page["history"]["columns"]]
    rows = ([row["started"], row["verdict"], *row["cells"]] for row in page["history"]["rows"])
    lines += ["", "## History, most output tokens/s", "", *table(columns, rows)]
    lines += ["", *(f"- {cell(note)}" for note in page["notes"])] if page["notes"] else []
    return "\n".join(lines) + "\n"


def _point(one: Page) -> list[str]:
    words = [one["verdict"], one["target"], one["mix"], one["load"], one["answered"], one["good"]]
    return [*words, *one["cells"]]
