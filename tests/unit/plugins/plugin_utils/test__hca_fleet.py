# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_choice import choose
from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_fleet import mistakes
from tests.unit.plugins.plugin_utils import rdma_samples as samples
from tests.unit.plugins.plugin_utils.rdma_samples import below_switch, hca, pairs, port

FOUR = choose(pairs(4), {})
THREE = choose(pairs(4, mlx5_3=hca(below_switch(0x40, 0), 1, {"1": port(state="DOWN", physical_state="Polling")})), {})
SLOW = choose(
    pairs(
        4, **{f"mlx5_{at}": hca(below_switch(0x10 * (at + 1), 0), 0, {"1": port(rate_gbps=200.0)}) for at in range(4)}
    ),
    {},
)
ROCE = choose(
    pairs(4, **{f"mlx5_{at}": hca(below_switch(0x10 * (at + 1), 0), 0, {"1": samples.roce()}) for at in range(4)}), {}
)
NONE = choose(samples.rdma({}), {})
OFF = choose(pairs(4), {"used_by_engines": False})
DECLARED_FOUR, DECLARED_TWO = choose(pairs(4), {"compute_hcas": 4}), choose(pairs(4), {"hcas": ["mlx5_0", "mlx5_1"]})
ELSEWHERE = {**FOUR, "subnets": ["fec0:0000:0000:0009"]}


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"a": FOUR}, None),
        ({"a": FOUR, "b": FOUR}, None),
        ({"a": NONE, "b": NONE}, None),
        ({"a": OFF, "b": OFF}, None),
        ({"a": DECLARED_FOUR, "b": DECLARED_TWO}, None),
        ({"a": FOUR, "b": {**FOUR, "subnets": []}}, None),
        ({"a": FOUR, "b": NONE}, "a would use RDMA and b would not, so that NCCL hangs or fails. b: no RDMA device"),
        ({"a": OFF, "b": FOUR}, "b would use RDMA and a would not"),
        ({"a": FOUR, "b": ROCE}, "a InfiniBand, b Ethernet: nothing passes between two fabrics"),
        ({"a": FOUR, "b": ELSEWHERE}, "no InfiniBand subnet in common (a in fe80:0000:0000:0000; b in fec0:"),
        (
            {"a": FOUR, "b": FOUR, "c": THREE},
            "a and b 4 × 400 Gb/s, c 3 × 400 Gb/s, and the slowest holds up all. c: mlx5_3: left",
        ),
        ({"a": DECLARED_FOUR, "b": THREE}, "Mend it, or write rdma_compute_hcas for each node"),
        ({"a": FOUR, "b": SLOW}, "a 4 × 400 Gb/s, b 4 × 200 Gb/s"),
    ],
)
def test_what_keeps_nodes_apart(choices: dict[str, dict[str, t.Any]], told: str | None) -> None:
    found = mistakes(choices)
    if told is None:
        assert found == []
    else:
        assert len(found) == 1
        assert told in found[0]
