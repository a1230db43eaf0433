# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of how RoCE is kept from loss on a switched Ethernet: what sorts packets, and which priorities have flow control.

Which are right the fabric's switches say, so that only the profile knows; without it nothing is said.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._dcb import SOURCE
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_common import (
    Bad,
    Finding,
    Judged,
    Node,
    Skip,
    over,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED

#: The card's firmware takes what the switch says by DCBX as long as LLDP is its own.
_REMEDY = (
    "Look at it with `mlnx_qos -i INTERFACE` or `dcb`. Set {variable}, which sets it at each boot; `systemctl restart "
    "gpufleet-rdma` sets it again. If it does not stay, something else sets it: lldpad, or DCBX of the card's firmware "
    "(mlxconfig, LLDP_NB_DCBX)."
)


def _judge(node: Node, key: str, expected: t.Any, variable: str, told: t.Callable[[t.Any], str] = str) -> Finding:
    read = node.read["priorities"]
    values = {label: read.get(port["netdev"]) for label, port in node.ports.items()}

    def judge(_label: str, one: t.Mapping[str, t.Any]) -> Bad | None:
        if one[key] is None:
            return Bad(NOT_VERIFIED, one["problem"])
        return None if one[key] == expected else Bad(FAIL, told(one[key]))

    wanted = told(expected)
    return over(values, judge, wanted, _REMEDY.format(variable=variable), SOURCE, wanted)


def trust(node: Node) -> Judged:
    if not node.on_ethernet:
        return Skip("InfiniBand has lanes of its own")
    if node.profile.roce_trust is None:
        return Skip("expect says no roce_trust")
    return _judge(node, "trust", node.profile.roce_trust, "rdma_roce_trust")


def flow_control(node: Node) -> Judged:
    if not node.on_ethernet:
        return Skip("InfiniBand loses no packet")
    if node.profile.roce_pfc_priorities is None:
        return Skip("expect says no roce_pfc_priorities")
    wished = list(node.profile.roce_pfc_priorities)
    return _judge(node, "pfc", wished, "rdma_roce_pfc_priorities", lambda one: ", ".join(map(str, one)) or "none")


JUDGES: dict[str, t.Callable[[Node], Judged]] = {"RoCE trust": trust, "RoCE flow control": flow_control}
