# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cards are set through the real nvidia-ml-py and the fake library, in a process of its own: ld.so looks at its start."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from tests.fakes.nvml import scenario

#: Runs the module as a node does, with a record that is the test's own.
RUN = """
import sys
from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_settings
_gpu_settings.RECORD = sys.argv[1]
_gpu_settings.recorded.__defaults__ = _gpu_settings.remember.__defaults__ = (sys.argv[1],)
from ansible_collections.gpufleet.inference.plugins.modules import gpu_settings
from ansible.module_utils.testing import patch_module_args
import json
with patch_module_args(json.loads(sys.argv[2])):
    gpu_settings.main()
"""


class Node:
    """A node with fake cards."""

    def __init__(self, folder: pathlib.Path, profile: str, *lines: str) -> None:
        self.folder = folder
        self.file = scenario.write(folder, profile, lines)

    def set(self, check: bool = False, timeout_seconds: int = 20, **settings: t.Any) -> dict[str, t.Any]:
        wanted = {"settings": settings, "timeout_seconds": timeout_seconds, "_ansible_check_mode": check}
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(self.folder / "record.json"), json.dumps(wanted)],
            env={
                **os.environ,
                "PYTHONPATH": str(scenario.ROOT / ".cache/collections"),
                **scenario.environment(self.file),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def was_set(self) -> str:
        path = self.folder / "scenario.txt.set"
        return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.fixture
def node(tmp_path: pathlib.Path) -> Node:
    return Node(tmp_path, "h100x8")


def test_what_differs_is_set_once_on_every_card(node: Node) -> None:
    first = node.set(power_limit_w=500)
    assert first["changed"] and len(first["changes"]) == 8
    assert first["changes"][0]["before"] == 700.0
    assert not node.set(power_limit_w=500)["changed"]


def test_check_mode_says_and_does_not(node: Node) -> None:
    said = node.set(check=True, power_limit_w=500, ecc=False)
    assert said["changed"] and len(said["changes"]) == 16
    assert node.was_set() == ""


def test_nothing_is_set_when_one_card_cannot_take_it(node: Node) -> None:
    refused = node.set(power_limit_w=900)
    assert refused["failed"] and "takes 200 to 700 W, not 900" in refused["msg"]
    assert node.was_set() == ""


def test_ecc_waits_for_a_reset_and_says_so(node: Node) -> None:
    assert node.set(ecc=False)["waits_for_reset"]["0"] == ["ecc"]
    again = node.set(ecc=False)
    assert not again["changed"] and again["waits_for_reset"]["7"] == ["ecc"]


def test_locked_clocks_are_set_once_and_released(node: Node) -> None:
    assert node.set(locked_clocks_mhz=[1500, 1500])["changed"]
    assert not node.set(locked_clocks_mhz=[1500, 1500])["changed"]
    assert node.set(locked_clocks_mhz=[])["changed"]
    assert "nvmlDeviceResetGpuLockedClocks" in node.was_set()


def test_a_refusal_of_the_driver_tells_what_was_set_until_then(tmp_path: pathlib.Path) -> None:
    node = Node(tmp_path, "h100x8", "1 nvmlDeviceSetPowerManagementLimit !4")
    refused = node.set(power_limit_w=500)
    assert refused["failed"] and "Set until then: GPU 0 power_limit_w" in refused["msg"]


def test_a_driver_that_hangs_does_not_hang_the_module(tmp_path: pathlib.Path) -> None:
    node = Node(tmp_path, "h100x8", "3 nvmlDeviceSetPowerManagementLimit hang")
    refused = node.set(timeout_seconds=2, power_limit_w=500)
    assert refused["failed"] and "did not answer within 2 s" in refused["msg"]


def test_a_driver_that_is_not_loaded_is_told(tmp_path: pathlib.Path) -> None:
    refused = Node(tmp_path, "h100x8", "system nvmlInitWithFlags !9").set(power_limit_w=500)
    assert refused["failed"] and "NVMLError_DriverNotLoaded" in refused["msg"]
