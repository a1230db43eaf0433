# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a start may take, as far as the controller knows it: the parts, and the most that they can come to.

What only the node knows, its disk's speed and whether kernels are compiled, is looked at there right before each start
(``roles/node_tools/files/rank_budget.py``): a figure of the plan would change with every look, and restart the ranks.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

#: GB/s of a disk of which nothing is known: one hard disk, or a shared one that others read too.
ASSUMED_GBS = 0.2


def parts(
    declared: int,
    begin_seconds: int,
    compile_seconds: int,
    read_bytes: int,
    directory: str,
    speeds: t.Mapping[str, float],
    unseen: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """Return {ready_budget_seconds, budget} for the spec of a rank; the first is the most that a start may take.

    declared     the user's own ready_budget_seconds, 0: none; then nothing else is looked at
    begin_seconds, compile_seconds  of the engine, see _engine.py
    read_bytes   what a node reads of the model in ``directory``
    speeds       {node: GB/s} that the inventory declares for the nodes of the deployment, 0: not declared; the slowest
                 counts, once all are known
    unseen       nodes that read too, but whose disks the rank that waits cannot look at
    """
    if declared:
        return {"ready_budget_seconds": declared}
    gbs = min(speeds.values(), default=0.0)
    slowest = min(gbs / 2, ASSUMED_GBS) if gbs else ASSUMED_GBS
    return {
        "ready_budget_seconds": int(begin_seconds + compile_seconds + read_bytes / (slowest * 1e9)),
        "budget": {
            "begin_seconds": begin_seconds,
            "compile_seconds": compile_seconds,
            "read_bytes": read_bytes,
            "directory": directory,
            "read_gbs": gbs,
            "assumed_gbs": ASSUMED_GBS,
            "unseen": list(unseen),
        },
    }


def line(most: int, made_of: t.Mapping[str, t.Any] | None) -> str:
    """Return for people how long a start may take, given what ``parts`` returned."""
    if not made_of:
        return f"may take {most} s to start, as ready_budget_seconds says"
    gbs = made_of["read_gbs"]
    if gbs:
        disk = f"half of {gbs:g} GB/s, as engine_read_gbs says"
    elif made_of["unseen"]:
        disk = f"{made_of['assumed_gbs']:g} GB/s, unless engine_read_gbs is declared for all of its nodes"
    else:
        disk = f"{made_of['assumed_gbs']:g} GB/s or half of what a sample shows at the start"
    return (
        f"may take {most} s to start: {made_of['begin_seconds']} to begin, {made_of['compile_seconds']} for kernels unless "
        f"they are there, and {made_of['read_bytes'] / 1e9:.1f} GB at {disk}"
    )
