# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real paths: in a mount namespace of its own /sys is a node with HCAs, and the modules are told of no other root."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tests.fakes.rdma.tree import make_host

ROOT = pathlib.Path(__file__).resolve().parents[3]

PROGRAM = """
import json
from ansible_collections.gpufleet.inference.plugins.module_utils import _pci_config, _rdma_counters, _rdma_sysfs
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_read import read
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
facts = _rdma_sysfs.read()
whole = read(Host(), 0)
print(json.dumps({"hcas": facts["hcas"], "gpus": facts["gpus"], "config": whole["config"],
                  "counters": whole["counters"]["now"]["ports"], "on_bus": whole["on_bus"]}))
"""


def in_namespace(sys_folder: pathlib.Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command that sees this folder as /sys."""
    mounted = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /sys && exec "$@"', str(sys_folder), *command]
    path = os.pathsep.join([str(ROOT / ".cache/collections"), str(ROOT)])
    return subprocess.run(
        mounted, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_the_real_paths(tmp_path: pathlib.Path) -> None:
    make_host(tmp_path, "h20x8", config={"0000:12:00.0": {"acs": 0x1D}})
    if in_namespace(tmp_path / "sys", ["true"]).returncode != 0:
        pytest.skip("this machine allows no mount namespace")
    done = in_namespace(tmp_path / "sys", [sys.executable, "-c", PROGRAM])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found["hcas"]) == [*(f"mlx5_{number}" for number in range(6)), "mlx5_bond_0"]
    assert found["hcas"]["mlx5_0"]["path"][0] == "pci0000:10"
    assert found["hcas"]["mlx5_0"]["ports"]["1"]["netdev"] == "ib0"
    assert len(found["gpus"]) == 8
    assert found["config"]["0000:12:00.0"]["acs"] == 0x1D
    assert found["counters"]["mlx5_0/1"]["link_downed"] == 0
    assert found["on_bus"]["0000:13:00.0"] == "mlx5_core"
