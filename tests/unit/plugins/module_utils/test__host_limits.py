# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _host_limits
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host

LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max locked memory         8388608              unlimited            bytes
Max open files            1024                 524288               files
"""
PAIRS = {"memlock": ("8388608", "unlimited"), "nofile": ("1024", "524288")}


def plant(root: pathlib.Path, files: dict[str, str]) -> None:
    for path, content in files.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)


def test_limits_are_those_of_new_processes(tmp_path: pathlib.Path) -> None:
    plant(tmp_path, {"/proc/1/limits": LIMITS})

    def run(argv: list[str], timeout_seconds: float) -> Outcome:
        return Outcome(0, LIMITS, "", "") if argv[0] == "systemd-run" else Outcome(None, "", "", f"no {argv[0]}")

    assert _host_limits.limits(Host(root=str(tmp_path), run=run)) == {
        "ceiling": PAIRS,
        "services": {"limits": PAIRS, "problem": ""},
        "logins": {"limits": {}, "problem": "no runuser"},
    }


@pytest.mark.parametrize(
    ("status", "may"),
    [
        ("CapInh:\t0\nCapEff:\t0000000000004000\n", True),
        ("CapEff:\t000001ffffffffff\n", True),
        ("CapEff:\t00000000a80425fb\n", False),  # a plain container
        ("", False),
    ],
)
def test_may_pin(status: str, may: bool) -> None:
    assert _host_limits.may_pin(status) is may


def process(pid: int, command: str, **more: str) -> dict[str, str]:
    return {f"/proc/{pid}/{name}": text for name, text in {"cmdline": command, "comm": "x\n", **more}.items()}


def test_running_processes_are_found_by_their_command_line(tmp_path: pathlib.Path) -> None:
    files = {
        **process(10, "python3\0-m\0vllm.serve\0", limits=LIMITS, status="CapEff:\t4000\n"),
        **process(11, "/usr/bin/vllm\0serve\0"),
        **process(12, ""),  # a thread of the kernel
        **process(13, "sleep\09\0", limits=LIMITS),
        **process(os.getpid(), "vllm\0", limits=LIMITS),
    }
    plant(tmp_path, files)
    found = _host_limits.running(Host(root=str(tmp_path)), ["*vllm*", "ray *"])
    assert found == {
        "*vllm*": [
            {"pid": 10, "name": "x", "limits": PAIRS, "ipc_lock": True},
            {"pid": 11, "name": "x", "limits": {}, "ipc_lock": False},
        ],
        "ray *": [],
    }


def test_a_real_process_is_found() -> None:
    with subprocess.Popen(["sleep", "4711"]) as sleeper:
        found = _host_limits.running(Host(), ["sleep 4711"])["sleep 4711"]
        sleeper.kill()
    assert [(one["pid"], one["name"]) for one in found] == [(sleeper.pid, "sleep")]
    assert set(found[0]["limits"]) == {"memlock", "nofile"}
