# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the HCAs that the nodes of a deployment chose: ranks that cannot reach each other are refused before they hang.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``choices`` is {node: what ``_hca_choice.choose`` returned}.
"""

from __future__ import annotations

import typing as t

Choices = t.Mapping[str, t.Mapping[str, t.Any]]


def mistakes(choices: Choices) -> list[str]:
    """Return what keeps these nodes from talking over RDMA as equals; empty for one node, or where none has an HCA.

    Nodes that differ in number or rate are accepted where the node says so itself (``rdma_hcas`` or ``rdma_compute_hcas``).
    """
    having = {node: one for node, one in choices.items() if one["hcas"]}
    if len(choices) < 2 or not having:
        return []
    without = [node for node in choices if node not in having]
    if without:
        told = "; ".join(f"{node}: {'; '.join(choices[node]['reasons']) or 'no reason is known'}" for node in without)
        return [
            f"{_names(having)} would use RDMA and {_names(without)} would not, so that NCCL hangs or fails. {told}. "
            "Mend it, or write rdma_used_by_engines: false for all of them."
        ]
    layers = _groups({node: one["link_layer"] for node, one in having.items()})
    if len(layers) > 1:
        return [f"rdma_link_layer: {_told(layers)}: nothing passes between two fabrics; write one that all nodes have."]
    return _subnets(having) + _unequal(having)


def _subnets(having: Choices) -> list[str]:
    """Two nodes that have no InfiniBand subnet in common cannot reach each other, whatever the cables."""
    known = {node: set(one["subnets"]) for node, one in having.items() if one["subnets"]}
    first = next(iter(known), "")
    apart = [node for node in known if not known[node] & known[first]]
    if not apart:
        return []
    told = "; ".join(f"{node} in {', '.join(sorted(known[node]))}" for node in [first, *apart])
    return [f"rdma_hcas: no InfiniBand subnet in common ({told}): name the HCAs of the compute fabric on each node."]


def _unequal(having: Choices) -> list[str]:
    if all(one["declared"] for one in having.values()):
        return []
    shapes = _groups({node: f"{len(one['hcas'])} × {one['rate_gbps'] or 0:g} Gb/s" for node, one in having.items()})
    if len(shapes) == 1:
        return []
    common = max(shapes, key=lambda shape: len(shapes[shape]))
    others = [node for shape, nodes in shapes.items() if shape != common for node in nodes]
    told = "; ".join(f"{node}: {reason}" for node in others for reason in having[node]["reasons"])
    return [
        f"the nodes differ: {_told(shapes)}, and the slowest holds up all. {told + '. ' if told else ''}Mend it, or write "
        "rdma_compute_hcas for each node where it is meant so."
    ]


def _groups(values: t.Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node, value in values.items():
        found.setdefault(value, []).append(node)
    return found


def _told(groups: t.Mapping[str, t.Sequence[str]]) -> str:
    return ", ".join(f"{_names(nodes)} {value}" for value, nodes in groups.items())


def _names(nodes: t.Iterable[str]) -> str:
    return " and ".join(nodes)
