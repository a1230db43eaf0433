# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The case files ``diagnosis_cases/*.yml``: logs and states of ranks in, the name of the cause out.

A line that begins with ``↳`` goes on with the one before: lines of logs are longer than lines of this repository.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t

import yaml

from ansible_collections.gpufleet.inference.plugins.module_utils._diagnosis import findings

FOLDER = pathlib.Path(__file__).parent / "diagnosis_cases"

#: What an engine always says after the error that ended it.
TAILS = {
    "vllm": "(EngineCore_DP0 pid=211) ERROR 11-22 04:59:01 [core.py:1140] EngineCore failed to start.\n"
    "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}\n",
    "sglang": "[2026-11-22 04:59:01] Received sigquit from a child process. It usually means the child failed.\n",
}
TAILS["vllm_native"] = TAILS["vllm"]


@dataclasses.dataclass(frozen=True)
class Case:
    """One group of ranks. ``signature`` is empty where nothing may be found."""

    name: str
    signature: str
    ranks: list[dict[str, t.Any]]
    plan: dict[str, t.Any] | None
    node: str
    cause: str
    fix: str
    notes: list[str]

    def __str__(self) -> str:
        return self.name


def unwrapped(text: str) -> str:
    return re.sub(r"\n *↳ ", " ", text)


def rank(one: dict[str, t.Any], at: int) -> dict[str, t.Any]:
    """Return a rank as the module reads it. ``exit`` null means that it still runs; absent means 1."""
    code = one.get("exit", 1)
    return {
        "rank": at,
        "node": one.get("node", "one"),
        "container": f"rank{at}",
        "engine": one["engine"],
        "log": unwrapped(one["log"]) + (TAILS[one["engine"]] if one.get("tail") else ""),
        "status": one.get("status", "ready after 9 s" if code is None else "failed: the container ended"),
        "state": {
            "running": code is None,
            "exit_code": code or 0,
            "oom_killed": one.get("oom_killed", False),
            "error": one.get("error", ""),
            "finished_at": "2026-11-22T04:59:02.000000000Z",
        },
        "facts": one.get("facts", {}),
        "kernel": unwrapped(one.get("kernel", "")),
    }


def read(path: pathlib.Path) -> list[Case]:
    return [
        Case(
            name=one["name"],
            signature=one.get("signature", ""),
            ranks=[rank(each, at) for at, each in enumerate(one.get("ranks", [one]))],
            plan=one.get("plan"),
            node=one.get("node", "one"),
            cause=str(one.get("cause", "")),
            fix=str(one.get("fix", "")),
            notes=one.get("notes", []),
        )
        for one in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


FAILURES = [case for path in sorted(FOLDER.glob("*.yml")) if path.stem != "healthy" for case in read(path)]
HEALTHY = read(FOLDER / "healthy.yml")


def found_in(*stems: str) -> set[str]:
    """Return the names of all findings in the case files of these names."""
    cases = [case for stem in stems for case in read(FOLDER / f"{stem}.yml")]
    return {one["name"] for case in cases for rank in case.ranks for one in findings(rank)}
