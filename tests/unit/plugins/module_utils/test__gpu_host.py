# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_host
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome
from tests.fakes.gpu_host import PROFILES, make_root, read_root


def nothing_installed(argv: t.Sequence[str], timeout_seconds: float = 10.0) -> Outcome:
    return Outcome(None, "", "", f"{argv[0]} is not installed")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_healthy_node_has_nothing_unknown(tmp_path: pathlib.Path, profile: str) -> None:
    make_root(tmp_path, profile)
    node = read_root(tmp_path)
    assert json.loads(json.dumps(node)) == node, "the reading is plain data"
    assert len(node["gpus"]) == len(PROFILES[profile]["addresses"])
    assert node["memory_bytes"] == 2113663612 * 1024
    problems = re.findall(r'"(?:\w+_)?problem": "([^"]+)"', json.dumps(node))
    assert problems == ([] if node["fabric_manager"]["installed"] else ["Fabric Manager is not installed"])


@pytest.mark.parametrize("profile", ["h20x8", "h200x2_guest"])
def test_the_reading_is_what_the_documentation_says(tmp_path: pathlib.Path, profile: str) -> None:
    make_root(tmp_path, profile)
    documented = set(
        re.findall(
            r'^    [ {]"(\w+)": |(?<=[\]},] )"(units_problem|nvswitches)": ', _gpu_host.__doc__ or "", re.MULTILINE
        )
    )
    assert {one or other for one, other in documented} == set(read_root(tmp_path))


def test_an_empty_tree_is_read_without_an_error(tmp_path: pathlib.Path) -> None:
    node = _gpu_host.read_gpu_host(root=str(tmp_path), run=nothing_installed)
    assert node["driver"]["loaded"] is False
    assert (node["gpus"], node["units"], node["memory_bytes"]) == (None, None, None)
    assert (node["libraries"]["libcuda.so.1"], node["kernel_log"]["source"]) == (None, "")


@pytest.mark.parametrize(
    ("changes", "path", "value"),
    [
        ({"driver": None}, ("driver", "loaded"), False),
        ({"modules": {"nouveau": ""}}, ("modules", "nouveau", "loaded"), True),
        ({"library": "580.65.06"}, ("libraries", "libnvidia-ml.so.1", 0, "version"), "580.65.06"),
        ({"functions": {"0000:1b:00.0": {"revision": "ff"}}}, ("gpus", 0, "revision"), "ff"),
        ({"functions": {"0000:1b:00.0": None}}, ("gpus", 0, "pci"), "0000:43:00.0"),
        ({"functions": {"0000:1b:00.0": {"current_link_width": "4"}}}, ("gpus", 0, "link_width"), 4),
        ({"secure_boot": True}, ("secure_boot", "enabled"), True),
        ({"kernel_log": None}, ("kernel_log", "source"), ""),
        ({"kmsg": ["NVRM: x"]}, ("kernel_log", "lines", 0, "text"), "NVRM: x"),
        ({"units": None}, ("units",), None),
        ({"files": {"/.dockerenv": ""}}, ("boot", "container"), "docker"),
        ({"addresses": ["0000:00:06.0"]}, ("gpus", 0, "pci"), "0000:00:06.0"),
    ],
)
def test_faults_are_seen(tmp_path: pathlib.Path, changes: t.Any, path: tuple[t.Any, ...], value: t.Any) -> None:
    make_root(tmp_path, **changes)
    found: t.Any = read_root(tmp_path)
    for key in path:
        found = found[key]
    assert found == value


def test_the_fake_refuses_what_it_does_not_know(tmp_path: pathlib.Path) -> None:
    with pytest.raises(TypeError, match="does not know kernel_lgo"):
        make_root(tmp_path, kernel_lgo=[])


def test_this_machine_is_read() -> None:
    node = _gpu_host.read_gpu_host()
    assert node["boot"]["kernel"] == pathlib.Path("/proc/sys/kernel/osrelease").read_text().strip()
    assert node["memory_bytes"] > 0
    assert node["driver"]["loaded"] is pathlib.Path("/proc/driver/nvidia/version").exists()
