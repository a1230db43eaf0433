# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _rdma_ports
from tests.fakes.rdma.tree import CLASS, make_host


def port(root: pathlib.Path, profile: str, name: str, **changes: t.Any) -> dict[str, t.Any]:
    make_host(root, profile, **changes)
    return _rdma_ports.ports(f"{root}{CLASS}/{name}")["1"]


def test_an_infiniband_port(tmp_path: pathlib.Path) -> None:
    assert port(tmp_path, "h100x8", "mlx5_0") == {
        "state": "ACTIVE",
        "physical_state": "LinkUp",
        "rate_gbps": 400.0,
        "rate": "400 Gb/sec (4X NDR)",
        "link_layer": "InfiniBand",
        "lid": 10,
        "sm_lid": 1,
        "netdev": "ib0",
        "gids": [{"index": 0, "gid": "fe80:0000:0000:0000:a088:c203:0000:0001", "type": "IB/RoCE v1", "netdev": ""}],
    }


def test_gids_of_roce_keep_their_index(tmp_path: pathlib.Path) -> None:
    empty = {"gids/1": _rdma_ports._NO_GID}
    found = port(tmp_path, "roce", "mlx5_2", port={"mlx5_2": empty})["gids"]
    assert [(one["index"], one["type"], one["netdev"]) for one in found] == [
        (0, "IB/RoCE v1", "eth2"),
        (2, "IB/RoCE v1", "eth2"),
        (3, "RoCE v2", "eth2"),
    ]


def test_soft_roce_has_the_interface_of_its_gid(tmp_path: pathlib.Path) -> None:
    found = port(tmp_path, "rxe", "rxe0")
    assert (found["netdev"], found["rate_gbps"], found["link_layer"]) == ("eth0", 2.5, "Ethernet")


def test_an_empty_port_is_unknown_everywhere(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ports/1").mkdir(parents=True)
    assert _rdma_ports.ports(str(tmp_path))["1"] == {
        **dict.fromkeys(("state", "physical_state", "rate", "link_layer", "netdev"), ""),
        **dict.fromkeys(("rate_gbps", "lid", "sm_lid")),
        "gids": [],
    }


@pytest.mark.parametrize(
    ("said", "word"),
    [("4: ACTIVE", "ACTIVE"), ("4: PortConfigurationTraining", "PortConfigurationTraining"), (None, "")],
)
def test_word(said: str | None, word: str) -> None:
    assert _rdma_ports.word(said) == word


@pytest.mark.parametrize(
    ("said", "rate"), [("400 Gb/sec (4X NDR)", 400.0), ("2.5 Gb/sec (1X SDR)", 2.5), ("", None), (None, None)]
)
def test_rate(said: str | None, rate: float | None) -> None:
    assert _rdma_ports.rate_gbps(said) == rate
