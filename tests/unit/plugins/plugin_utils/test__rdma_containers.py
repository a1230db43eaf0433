# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_choice import choose
from ansible_collections.gpufleet.inference.plugins.plugin_utils._rdma_containers import nccl_conf, needs
from tests.unit.plugins.plugin_utils import rdma_samples as samples
from tests.unit.plugins.plugin_utils.rdma_samples import Data, below_switch, hca, pairs

ROCE = pairs(1, mlx5_0=hca(below_switch(0x10, 0), 0, {"1": samples.roce()}))
ONLY_IPV6 = pairs(1, mlx5_0=hca(below_switch(0x10, 0), 0, {"1": samples.roce(samples.IPV6)}))


def asked(rdma: Data, **wishes: t.Any) -> dict[str, t.Any]:
    return needs(choose(rdma, wishes), wishes)


@pytest.mark.parametrize(
    ("rdma", "wishes", "environment"),
    [
        (pairs(2), {}, {"NCCL_IB_HCA": "=mlx5_0:1,mlx5_1:1"}),
        # The traffic class and the GID are of RoCE.
        (pairs(1), {"traffic_class": 106, "gid_index": 3}, {"NCCL_IB_HCA": "=mlx5_0:1"}),
        (ROCE, {"traffic_class": 106}, {"NCCL_IB_HCA": "=mlx5_0:1", "NCCL_IB_TC": "106"}),
        (ROCE, {"traffic_class": 0}, {"NCCL_IB_HCA": "=mlx5_0:1", "NCCL_IB_TC": "0"}),
        (ROCE, {"gid_index": 3}, {"NCCL_IB_HCA": "=mlx5_0:1", "NCCL_IB_GID_INDEX": "3"}),
        (ONLY_IPV6, {}, {"NCCL_IB_HCA": "=mlx5_0:1", "NCCL_IB_ADDR_FAMILY": "AF_INET6"}),
        (
            samples.guest(1),
            {"topology_file": "/etc/topology.xml"},
            {"NCCL_IB_HCA": "=mlx5_0:1", "NCCL_TOPO_FILE": "/run/gpufleet/nccl_topology.xml"},
        ),
        (samples.rdma({}), {}, {}),
        (pairs(2), {"used_by_engines": False}, {"NCCL_IB_DISABLE": "1"}),
    ],
)
def test_variables(rdma: Data, wishes: Data, environment: dict[str, str]) -> None:
    found = asked(rdma, **wishes)
    assert {name: value for name, (value, _why) in found["environment"].items()} == environment
    assert all(why for _value, why in found["environment"].values())
    assert found["devices"] == (["/dev/infiniband"] if "NCCL_IB_HCA" in environment else [])
    mounted = ["/etc/topology.xml:/run/gpufleet/nccl_topology.xml:ro"] if "topology_file" in wishes else []
    assert found["mounts"] == mounted


def test_the_reason_tells_what_was_chosen() -> None:
    why = asked(samples.reference_site())["environment"]["NCCL_IB_HCA"][1]
    assert why == (
        "4 InfiniBand HCAs of 400 Gb/s; PIX to 4, NODE to 4 of 8 GPUs; exactly these: without = a name is a prefix"
    )
    assert asked(samples.soft(), hcas=["rxe0"])["environment"]["NCCL_IB_HCA"][1].startswith(
        "1 Ethernet HCAs of 2.5 Gb/s; exactly"
    )


def test_the_file_for_other_programs() -> None:
    environment = {"NCCL_IB_TC": ("106", "because"), "NCCL_IB_HCA": ("=mlx5_0:1", "near")}
    text = nccl_conf({"environment": environment, "devices": [], "mounts": []})
    assert text.splitlines()[1:] == ["# near", "NCCL_IB_HCA==mlx5_0:1", "# because", "NCCL_IB_TC=106"]
    assert text.endswith("\n")


def test_the_file_for_other_programs_names_files_of_the_node() -> None:
    text = nccl_conf(asked(samples.guest(1), topology_file="/etc/topology.xml"))
    assert "NCCL_TOPO_FILE=/etc/topology.xml" in text.splitlines()
