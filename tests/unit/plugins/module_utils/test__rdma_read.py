# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_read import (
    baseline,
    iommu,
    of_rdma,
    on_bus,
    read,
)
from tests.fakes.rdma.tree import make_host


def test_the_bus_tells_cards_without_a_device(tmp_path: pathlib.Path) -> None:
    make_host(tmp_path, "vfs", files={"/sys/class/infiniband/mlx5_1": None})
    assert on_bus(str(tmp_path)) == {"0000:13:00.0": "mlx5_core", "0000:23:00.0": "mlx5_core"}


def test_settings_of_all_bridges_above_hcas_and_gpus(tmp_path: pathlib.Path) -> None:
    host = make_host(tmp_path, "h20x8", config={"0000:52:00.0": {"acs": 0x1D}})
    found = read(host)["config"]
    assert found["0000:52:00.0"]["acs"] == 0x1D  # above a GPU that has no HCA
    assert found["0000:13:00.0"]["max_read_request"] == 4096
    assert "0000:14:00.0" not in found  # the GPU itself


@pytest.mark.parametrize(("files", "kind"), [({}, "off"), ({"type": "identity"}, "identity"), ({"devices": ""}, None)])
def test_iommu(tmp_path: pathlib.Path, files: dict[str, str], kind: str | None) -> None:
    make_host(tmp_path, function={"0000:13:00.0": {f"iommu_group/{name}": text for name, text in files.items()}})
    assert iommu(str(tmp_path), "0000:13:00.0") == kind


def test_counters_are_compared_with_a_baseline(tmp_path: pathlib.Path) -> None:
    kept = {"time": 1.0, "ports": {"mlx5_0/1": {"link_downed": 2}}, "refused": {"mlx5_1/1": ["counters"]}}
    changes: dict[str, t.Any] = {
        "files": {"/var/lib/counters.json": json.dumps(kept)},
        "port": {"mlx5_0": {"counters/link_downed": "5"}},
    }
    found = read(make_host(tmp_path, **changes), 2, "/var/lib/counters.json")["counters"]
    assert found["grown"]["mlx5_0/1"] == {"link_downed": 3}
    assert found["seconds"] > 1e9
    assert "link_downed" not in found["now"]["ports"]["mlx5_1/1"]


def test_without_a_good_baseline_they_are_read_twice(tmp_path: pathlib.Path) -> None:
    host = make_host(tmp_path, later={"mlx5_0": {"counters/link_downed": "4"}})
    found = read(host, 2, "/var/lib/counters.json")["counters"]
    assert (found["grown"]["mlx5_0/1"]["link_downed"], found["seconds"]) == (4, 2)
    assert "cannot be read" in found["problem"]


def test_counters_read_once_have_not_grown(tmp_path: pathlib.Path) -> None:
    assert read(make_host(tmp_path))["counters"]["grown"] is None


@pytest.mark.parametrize(("text", "problem"), [("{", "no JSON"), ("[]", "no counters")])
def test_broken_baselines(tmp_path: pathlib.Path, text: str, problem: str) -> None:
    host = make_host(tmp_path, "none", files={"/b": text})
    assert baseline(host, "/b")[0] is None
    assert problem in baseline(host, "/b")[1]


@pytest.mark.parametrize(
    ("line", "concerns"),
    [
        ("mlx5_core 0000:43:00.0 ib3: Link down", True),
        ("ib3: Lost carrier", True),
        ("bond0: (slave eth0): link status definitely down", False),
        ("usb 1-1: new device", False),
    ],
)
def test_of_rdma(line: str, concerns: bool) -> None:
    assert of_rdma(line) is concerns
