# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a running Prometheus the query of every panel: ``python -m tests.lab.panels http://127.0.0.1:9090``.

Prints each panel without data. Ends with 1 when one of them needs nothing that the lab lacks.
"""

from __future__ import annotations

import json
import sys
import typing as t
import urllib.parse
import urllib.request

from tests import dashboards

#: Answers how many series a query gives.
Ask = t.Callable[[str], int]


def look(ask: Ask) -> tuple[list[str], list[str]]:
    """Return (a line per query without data, the panels among them that should have some)."""
    lines, bad = [], []
    for name, found in dashboards.DASHBOARDS.items():
        for panel in found:
            for text in panel.queries.values():
                if ask(dashboards.query(text)):
                    continue
                lines.append(f"{name} / {panel.title}: no data" + (f" (needs {panel.needs})" if panel.needs else ""))
                bad += [] if panel.needs else [f"{name} / {panel.title}"]
    return lines, bad


def prometheus(url: str) -> Ask:
    """Return a function that asks the Prometheus at ``url``."""

    def ask(query: str) -> int:
        asked = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return len(json.load(answer)["data"]["result"])

    return ask


def main(arguments: list[str]) -> int:
    """Print what has no data and return the exit status."""
    lines, bad = look(prometheus(arguments[0].rstrip("/")))
    total = sum(len(panel.queries) for found in dashboards.DASHBOARDS.values() for panel in found)
    print("\n".join(lines))
    print(
        f"{total} queries, {total - len(lines)} with data, {len(lines) - len(bad)} need what is not here, {len(bad)} without reason"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
