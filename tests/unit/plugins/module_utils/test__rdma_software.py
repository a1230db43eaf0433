# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _rdma_software
from tests.fakes.rdma.programs import KERNEL
from tests.fakes.rdma.tree import make_host


def test_characters_belong_to_devices(tmp_path: pathlib.Path) -> None:
    make_host(tmp_path, "h20x8", files={"/dev/infiniband/uverbs1": None})
    found = _rdma_software.characters(str(tmp_path))
    assert (found["verbs"]["mlx5_0"], found["verbs"]["mlx5_1"]) == ("/dev/infiniband/uverbs0", "")
    assert set(found["mad"]) == {f"mlx5_{number}/1" for number in range(6)}  # the bond speaks Ethernet


def test_the_directory_alone_says_nothing(tmp_path: pathlib.Path) -> None:
    make_host(tmp_path, "none")
    assert (tmp_path / "dev/infiniband/rdma_cm").exists()
    assert _rdma_software.characters(str(tmp_path)) == {"verbs": {}, "mad": {}}


@pytest.mark.parametrize(
    ("name", "loaded", "persistent"),
    [
        ("ib_uverbs", True, True),
        ("mlx5_ib", True, False),
        ("siw", False, False),
        ("ib_srp", True, True),
        ("rdma_cm", False, True),
    ],
)
def test_modules(tmp_path: pathlib.Path, name: str, loaded: bool, persistent: bool) -> None:
    files = {
        f"/lib/modules/{KERNEL}/modules.builtin": "kernel/drivers/infiniband/ulp/srp/ib_srp.ko",
        "/etc/rdma/modules/rdma.conf": "# loaded with the first device\nrdma-cm",
    }
    host = make_host(tmp_path, files=files)
    assert _rdma_software.modules(host, KERNEL, [name]) == {name: {"loaded": loaded, "persistent": persistent}}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, ""),
        ({"/etc/nccl.conf": "NCCL_TOPO_FILE=/etc/topo.xml"}, ""),
        ({"/etc/nccl.conf": "NCCL_DEBUG=INFO\nNCCL_TOPO_FILE = /etc/topo.xml", "/etc/topo.xml": ""}, "/etc/topo.xml"),
        ({_rdma_software.VIRTUAL_TOPOLOGY: ""}, _rdma_software.VIRTUAL_TOPOLOGY),
    ],
)
def test_topology_file(tmp_path: pathlib.Path, files: dict[str, str], found: str) -> None:
    assert _rdma_software.topology_file(make_host(tmp_path, "none", files=files)) == found


def test_a_declared_topology_file_wins_and_must_be_a_file(tmp_path: pathlib.Path) -> None:
    host = make_host(
        tmp_path, "none", files={"/etc/nccl.conf": "NCCL_TOPO_FILE=/etc/a.xml", "/etc/a.xml": "", "/etc/b.xml": ""}
    )
    assert _rdma_software.topology_file(host, "/etc/b.xml") == "/etc/b.xml"
    (tmp_path / "etc/c.xml").mkdir()
    assert _rdma_software.topology_file(host, "/etc/c.xml") == ""
