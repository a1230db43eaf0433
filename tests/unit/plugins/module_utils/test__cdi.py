# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _cdi
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from tests.fakes.gpu_host import answering, make_root


def made(root: pathlib.Path, **changes: t.Any) -> Host:
    make_root(root, **changes)
    return Host(root=str(root), run=answering(root))


JSON_SPECIFICATION = json.dumps(
    {
        "cdiVersion": "0.5.0",
        "kind": "nvidia.com/gpu",
        "devices": [{"name": "0"}, {"name": "GPU-1-2"}],
        "containerEdits": {},
    }
)
OF_ANOTHER = "cdiVersion: 0.5.0\nkind: amd.com/gpu\ndevices:\n- name: all\n"


@pytest.mark.parametrize(
    ("files", "devices"),
    [
        ({}, [("/run/cdi/nvidia.yaml", [*"01234567", "all"], "580.159.04")]),
        ({"/run/cdi/nvidia.yaml": None}, []),
        ({"/run/cdi/nvidia.yaml": OF_ANOTHER}, []),
        (
            {"/run/cdi/nvidia.yaml": None, "/etc/cdi/nvidia.json": JSON_SPECIFICATION},
            [("/etc/cdi/nvidia.json", ["0", "GPU-1-2"], "")],
        ),
    ],
)
def test_cdi(tmp_path: pathlib.Path, files: t.Any, devices: t.Any) -> None:
    found = _cdi.specifications(made(tmp_path, files=files))
    assert [(one["path"], one["devices"], one["driver_version"]) for one in found] == devices


def test_a_cdi_file_by_two_names_counts_once(tmp_path: pathlib.Path) -> None:
    host = made(tmp_path)
    (tmp_path / "var").mkdir(exist_ok=True)
    (tmp_path / "var/run").symlink_to("../run")
    assert len(_cdi.specifications(host)) == 1


def test_a_node_without_nvidia(tmp_path: pathlib.Path) -> None:
    assert _cdi.handover(Host(root=str(tmp_path))) == {"cdi": [], "runtime_mode": "", "device_links": 0}


def test_handover(tmp_path: pathlib.Path) -> None:
    files = {"/etc/nvidia-container-runtime/config.toml": 'mode = "legacy"\n', "/dev/char/195:0": ""}
    found = _cdi.handover(made(tmp_path, files=files))
    assert (len(found["cdi"]), found["runtime_mode"], found["device_links"]) == (1, "legacy", 1)
