# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the load generator for one point of a load test, bounded, and read what it wrote.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Whatever goes wrong becomes the ``problem`` of the result: a point that gave nothing must show in the report.
"""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _load_result
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome, bounded

#: What removing a container may take.
REMOVE_SECONDS = 60.0

#: How much of the tool's last words is told.
WORDS = 400


class Host:
    """What this needs of the node; a test gives another one."""

    def run(self, argv: t.Sequence[str], timeout_seconds: float) -> Outcome:
        return bounded(argv, timeout_seconds)

    def forget(self, path: str) -> None:
        if os.path.exists(path):
            os.unlink(path)

    def read(self, path: str) -> str:
        with open(path, encoding="utf-8") as file:
            return file.read()


def measure(host: Host, argv: t.Sequence[str], seconds: float, container: str, path: str) -> _load_result.Result:
    """Return the result of a point, or one that says why there is none.

    ``path``: where the tool writes; the file of an earlier point is removed before, and this one's after. A container whose
    client was ended for its time is removed, as it would go on with its load.
    """
    try:
        host.forget(path)
    except OSError as error:
        return _load_result.nothing(f"the result of an earlier point cannot be removed: {error}")
    outcome = host.run(argv, seconds)
    if not outcome.ok:
        problem = (
            outcome.problem if outcome.rc is None else f"the load generator returned {outcome.rc}: {_last(outcome)}"
        )
        if container and outcome.rc is None:
            removed = host.run(["docker", "rm", "--force", container], REMOVE_SECONDS)
            problem += "" if removed.ok else f"; its container is still there: {removed.problem}"
        return _load_result.nothing(problem)
    try:
        found = _load_result.result(json.loads(host.read(path)))
        host.forget(path)
    except OSError as error:
        return _load_result.nothing(f"the load generator wrote no result: {error.strerror}; {_last(outcome)}")
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return _load_result.nothing(f"the result cannot be read, {type(error).__name__}: {error}")
    return found


def _last(outcome: Outcome) -> str:
    """Return the last line that says what went wrong."""
    lines = [one.strip() for one in (outcome.stderr or outcome.stdout).splitlines() if one.strip()]
    return lines[-1][-WORDS:] if lines else "it said nothing"
