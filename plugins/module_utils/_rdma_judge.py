# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a node's RDMA devices: a reading and a profile in, one check per statement out. Pure functions on plain data.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import (
    _rdma_judge_devices,
    _rdma_judge_events,
    _rdma_judge_pci,
    _rdma_judge_ports,
    _rdma_judge_priorities,
    _rdma_judge_software,
    _rdma_roles,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_common import (
    NO_HCA,
    SEE_DEVICES,
    Finding,
    Judged,
    Node,
    Skip,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_profile import profile
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import NOT_VERIFIED, PASS, Check, check

FIRST = "RDMA devices"

#: Name of a check → its judge, in the order in which somebody would look.
JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    **_rdma_judge_devices.JUDGES,
    **_rdma_judge_ports.JUDGES,
    **_rdma_judge_priorities.JUDGES,
    **_rdma_judge_events.JUDGES,
    **_rdma_judge_pci.JUDGES,
    **_rdma_judge_software.JUDGES,
}


class Judgement(t.NamedTuple):
    """The checks, and which statements make no sense on this node: {name: why}."""

    checks: list[Check]
    not_applicable: dict[str, str]


def make_node(read: t.Mapping[str, t.Any], expect: t.Mapping[str, t.Any]) -> Node:
    """Return the node as judges see it. Raises ValueError with all mistakes of ``expect``."""
    wished = profile(expect)
    return Node(read, wished, tuple(_rdma_roles.compute(read["rdma"], wished)))


def judge_rdma(node: Node) -> Judgement:
    """Return what the reading is worth against the profile. Without an HCA for GPUs nothing passes."""
    checks: list[Check] = []
    not_applicable: dict[str, str] = {}
    nothing_here = not node.all_hcas and not node.profile.hcas
    for name, judge in JUDGES.items():
        judged = judge(node) if name == FIRST or not nothing_here else Skip("there is no RDMA device here")
        if isinstance(judged, Skip):
            not_applicable[name] = judged.why
            continue
        absent = not node.compute and node.profile.hcas != 0
        if absent and judged.verdict == PASS and name != "storage HCAs":
            judged = Finding(
                NOT_VERIFIED, f"{judged.observed}, but {NO_HCA}", judged.expected, SEE_DEVICES, judged.source
            )
        checks.append(check(name, *judged))
    return Judgement(checks, not_applicable)
