# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove a fleet from Python: ``python examples/python_door.py inventories/lab``.

Exits with 0 only when every task succeeded and nothing that was looked at failed.
"""

from __future__ import annotations

import sys

import gpufleet


def show(event: gpufleet.Event) -> None:
    """Say what happens while it happens."""
    if event.kind in ("changed", "failed", "unreachable"):
        print(f"{event.kind}: {event.host} {event.task} {event.message}".rstrip())


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    run = gpufleet.run("verify", inventory=sys.argv[1], on_event=show)
    for check in run.checks:
        if check.verdict != "pass":
            print(f"{check.verdict}: {check.host} {check.name}: {check.observed}. {check.remedy}")
    for endpoint in run.endpoints:
        print(f"{endpoint.model} at {endpoint.url}, key in {endpoint.api_key_path}")
    print(f"{run.verdict}; the whole story: {run.report_path}")
    return 0 if run.ok and run.verdict != "fail" else 1


if __name__ == "__main__":
    sys.exit(main())
