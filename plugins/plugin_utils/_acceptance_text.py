# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An acceptance as JSON and as a Markdown page.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_page

Page = t.Mapping[str, t.Any]


def to_json(document: t.Mapping[str, t.Any]) -> str:
    """Return the document as the text of acceptance.json."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def to_markdown(page: Page) -> str:
    """Return the page as Markdown: everything but the drawings and the list of all checks."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in page["counts"] if count) or "nothing was checked"
    lines = [
        f"# {cell(page['title'])}",
        "",
        f"{page['started']}, tier {page['tier']}: {counts}.",
        *finding_lines("To look at", page["findings"]),
        *finding_lines("Not verified", page["unverified"]),
        "",
        "## Nodes",
        "",
        *_overview(page["overview"]),
    ]
    if page["comparison"]:
        lines += _comparison(page["comparison"])
    columns = ("started", "verdict", *map(_head, page["history"]["columns"]))
    rows = ([row["started"], row["verdict"], *row["cells"]] for row in page["history"]["rows"])
    lines += ["", "## History", "", *table(columns, rows)]
    columns = ("kind", "tool", "figures", "seconds", "command")
    lines += ["", "## Method", "", *table(columns, ([row[key] for key in columns] for row in page["method"]))]
    if page["notes"]:
        lines += ["", "## Notes", "", *(f"- {cell(note)}" for note in page["notes"])]
    return "\n".join(lines) + "\n"


def finding_lines(title: str, findings: t.Sequence[Page]) -> list[str]:
    """Return the findings of a page under a heading; nothing without any."""
    if not findings:
        return []
    lines = ["", f"## {title}"]
    for one in findings:
        expected = f", expected {cell(one['expected'])}" if one["expected"] else ""
        lines += ["", f"**{one['verdict']}** {cell(one['name'])}{expected}", ""]
        lines += [f"- {cell(seen['where'])}: {cell(seen['observed'])}" for seen in one["seen"]]
        lines += [f"- and {one['more']} more"] if one["more"] else []
        lines += ["", cell(one["remedy"])] if one["remedy"] else []
    return lines


def _overview(overview: Page) -> list[str]:
    columns = ("node", "verdict", "GPUs", "driver", *map(_head, overview["columns"]))
    rows = (
        [row["node"], row["verdict"], *row["facts"], *(f"{one['text']}{_sign(one['verdict'])}" for one in row["cells"])]
        for row in overview["rows"]
    )
    return table(columns, rows)


def _head(column: Page) -> str:
    return f"{column['label']}, {column['unit']}"


def _sign(verdict: str) -> str:
    return "" if verdict == "pass" else f" {_acceptance_page.SIGNS[verdict]}"


def _comparison(compared: Page) -> list[str]:
    lines = ["", f"## Against {compared['with']}", ""]
    lines += [f"- {cell(change)}" for change in compared["changes"]] or ["The nodes' facts are the same."]
    columns = ("verdict", "what", "before", "now", "change", "where")
    rows = (
        [row["verdict"], row["label"], row["before"], row["now"], row["change"], "; ".join(row["places"])]
        for row in compared["rows"]
    )
    lines += ["", *table(columns, rows)]
    if compared["missing"]:
        lines += ["", "Measured then and not now:", "", *(f"- {cell(one)}" for one in compared["missing"])]
    return lines


def table(header: t.Sequence[str], rows: t.Iterable[t.Sequence[t.Any]]) -> list[str]:
    """Return a Markdown table; what a cell says cannot break it."""
    body = ["| " + " | ".join(cell(one) for one in row) + " |" for row in rows]
    return ["| " + " | ".join(map(cell, header)) + " |", "|" + " --- |" * len(header), *body]


def cell(value: t.Any) -> str:
    """Return a value as text of one line in which nothing is markup."""
    text = "" if value is None else " ".join(str(value).split())
    for sign in ("\\", "`", "*", "_", "|", "[", "#"):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("<", "&lt;")
