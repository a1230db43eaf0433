# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_host_services
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from tests.fakes.gpu_host import BOOTED_AT, answering, make_root, read_root

UNIT = _gpu_host_services.FABRIC_MANAGER
MISMATCH = (
    "fabric manager NVIDIA GPU driver interface version 530.30.02 don't match with driver version 530.41.03. "
    "Please update with matching NVIDIA driver package."
)


def made(root: pathlib.Path, **changes: t.Any) -> Host:
    make_root(root, **changes)
    return Host(root=str(root), run=answering(root), sleep=lambda seconds: None)


def test_units(tmp_path: pathlib.Path) -> None:
    failed = {"ActiveState": "failed", "Result": "exit-code", "NRestarts": "5"}
    found = _gpu_host_services.units(made(tmp_path, units={UNIT: failed}), 86400.0)
    assert found["units"][UNIT] == {
        "load": "loaded",
        "active": "failed",
        "sub": "running",
        "enabled": "enabled",
        "restarts": 5,
        "result": "exit-code",
        "pid": 812,
        "exec_start": "/usr/bin/nvidia-fabricmanager",
        "active_for_seconds": None,
    }
    assert found["units"]["nvidia-persistenced.service"]["active_for_seconds"] == 86380.0
    assert found["units"]["nvidia-imex.service"]["load"] == "not-found"
    assert sorted(found["units"]) == sorted(_gpu_host_services.UNITS)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"rc": 1, "stderr": "not booted with systemd"}, "systemctl returned 1: not booted with systemd"),
        ("Id=docker.service\nLoadState=loaded\n", "systemctl says nothing of nvidia-fabricmanager.service"),
        (None, "systemctl is not installed"),
    ],
)
def test_units_that_nobody_knows(tmp_path: pathlib.Path, answer: t.Any, problem: str) -> None:
    found = _gpu_host_services.units(made(tmp_path, answers={"systemctl show": answer}), 0.0)
    assert found["units"] is None
    assert found["units_problem"].startswith(problem)


@pytest.mark.parametrize(
    ("changes", "installed", "version", "problem"),
    [
        ({}, True, "580.159.04", ""),
        ({"fabric_manager": "575.57.08"}, True, "575.57.08", ""),
        ({"fabric_manager": None}, False, "", ""),
        ({"fabric_manager": None, "units": {UNIT: {"LoadState": "loaded"}}}, True, "", ""),
        ({"fabric_manager": None, "packages": {"nvidia-fabric-manager": "550.54.14-1"}}, True, "550.54.14", ""),
        ({"fabric_manager": None, "packages": {"nvidia-fabricmanager-570": "570.1.2-1"}}, True, "570.1.2", ""),
        ({"fabric_manager": None, "packages": {"nvidia-fabricmanager-dev": "570.1.2-1"}}, False, "", ""),
        ({"answers": {"nv-fabricmanager": None}}, True, "580.159.04", "/usr/bin/nv-fabricmanager is not installed"),
        (
            {"answers": {"nv-fabricmanager": "usage"}, "packages": {"nvidia-fabricmanager": None}},
            True,
            None,
            "nv-fabricmanager does not tell its version",
        ),
    ],
)
def test_fabric_manager(tmp_path: pathlib.Path, changes: t.Any, installed: bool, version: t.Any, problem: str) -> None:
    make_root(tmp_path, **changes)
    found = read_root(tmp_path)["fabric_manager"]
    assert (found["installed"], found["version"], found["problem"]) == (installed, version, problem)


def test_the_journal_of_fabric_manager(tmp_path: pathlib.Path) -> None:
    make_root(tmp_path, fabric_log=[[12, MISMATCH], [13, "Opened the configuration"]])
    log = read_root(tmp_path)["fabric_manager"]["log"]
    assert (log["source"], [(one["uptime_seconds"], one["text"]) for one in log["lines"]]) == (
        "journal",
        [(12.0, MISMATCH)],
    )


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (None, None),
        ("# A=1\nLOG_FILE_NAME=\nFABRIC_MODE = 0 \n", {"LOG_FILE_NAME": "", "FABRIC_MODE": "0"}),
    ],
)
def test_settings(text: str | None, values: dict[str, str] | None) -> None:
    assert _gpu_host_services.settings(text) == values


def stamp(seconds_since_boot: float) -> str:
    return datetime.datetime.fromtimestamp(BOOTED_AT + seconds_since_boot).strftime("%b %d %Y %H:%M:%S")


def test_the_file_of_fabric_manager(tmp_path: pathlib.Path) -> None:
    text = (
        f"[{stamp(-900)}] [ERROR] [tid 9] of an earlier boot\n"
        f"[{stamp(60)}] [INFO] [tid 9] nothing special\n"
        f"[{stamp(61)}] [ERROR] [tid 9] detected number of NVSwitches don't match with any supported system topology\n"
        "[Foo 99 2025 99:99:99] [ERROR] broken\n"
    )
    settings = "LOG_FILE_NAME=/var/log/fm.log\n"
    files = {"/usr/share/nvidia/nvswitch/fabricmanager.cfg": settings, "/var/log/fm.log": "x" * 2**18 + "\n" + text}
    make_root(tmp_path, fabric_log=[], files=files)
    found = read_root(tmp_path)["fabric_manager"]
    assert found["configuration"] == {"LOG_FILE_NAME": "/var/log/fm.log"}
    assert [(one["uptime_seconds"], one["text"][:27]) for one in found["log"]["lines"]] == [
        (61.0, "[ERROR] [tid 9] detected nu")
    ]


def test_a_file_is_enough(tmp_path: pathlib.Path) -> None:
    files = {"/usr/share/nvidia/nvswitch/fabricmanager.cfg": None, "/var/log/fabricmanager.log": ""}
    make_root(tmp_path, answers={f"journalctl --unit={UNIT}": None}, files=files)
    log = read_root(tmp_path)["fabric_manager"]["log"]
    assert (log["source"], log["lines"]) == ("file", [])


def test_no_log_of_fabric_manager_at_all(tmp_path: pathlib.Path) -> None:
    make_root(tmp_path, answers={f"journalctl --unit={UNIT}": None})
    log = read_root(tmp_path)["fabric_manager"]["log"]
    assert (log["source"], log["complete"]) == ("", False)
    assert log["problem"] == "journalctl is not installed; its log file cannot be read"


@pytest.mark.parametrize(
    ("files", "nodes"),
    [
        ({}, []),
        ({_gpu_host_services.IMEX_NODES: "# domain\n10.0.0.1\n10.0.0.2\n\n"}, ["10.0.0.1", "10.0.0.2"]),
    ],
)
def test_imex(tmp_path: pathlib.Path, files: t.Any, nodes: list[str]) -> None:
    assert _gpu_host_services.imex(made(tmp_path, files=files)) == {"nodes": nodes}


def test_imex_nodes_that_cannot_be_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / _gpu_host_services.IMEX_NODES.lstrip("/")).mkdir(parents=True)
    assert _gpu_host_services.imex(Host(root=str(tmp_path))) == {"nodes": None}


IN_DRIVER = (
    "[<0>] os_acquire_mutex+0x2f/0x60 [nvidia]\n[<0>] rm_ioctl+0x63/0x90 [nvidia]\n[<0>] do_syscall_64+0x5c/0x90\n"
)
IN_STORAGE = "[<0>] nfs_wait_bit_killable+0x11/0x60 [nfs]\n[<0>] do_syscall_64+0x5c/0x90\n"
IN_KERNEL = "[<0>] msleep+0x2d/0x40\n[<0>] kthread+0xd6/0x100\n"


@pytest.mark.parametrize(
    ("process", "stuck"),
    [
        (
            {"name": "python3 (x)", "state": "D", "stack": IN_DRIVER},
            [{"name": "python3 (x)", "where": "os_acquire_mutex"}],
        ),
        ({"name": "python3", "state": "D", "stack": IN_STORAGE}, []),
        ({"name": "python3", "state": "S", "stack": IN_DRIVER}, []),
        ({"name": "nv_queue", "state": "D", "stack": IN_KERNEL}, [{"name": "nv_queue", "where": "msleep"}]),
        ({"name": "nvidia-smi", "state": "D", "stack": ""}, [{"name": "nvidia-smi", "where": "unknown"}]),
    ],
)
def test_who_is_stuck_in_the_driver(tmp_path: pathlib.Path, process: t.Any, stuck: list[t.Any]) -> None:
    make_root(tmp_path, processes={4711: process})
    assert read_root(tmp_path)["stuck_processes"] == [{"pid": 4711, **one} for one in stuck]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/proc/4711/stat", None),
        ("/proc/4711/stat", "4711 (p) S " + "0 " * 18 + "4711 0"),
        ("/proc/4711/stat", "4711 (p) D " + "0 " * 18 + "9999 0"),
        ("/proc/4711/status", "voluntary_ctxt_switches:\t10\n"),
    ],
)
def test_who_moves_between_two_looks_is_not_stuck(tmp_path: pathlib.Path, path: str, content: str | None) -> None:
    host = made(tmp_path, processes={4711: {"name": "p", "state": "D", "stack": IN_DRIVER}})
    _daemons, asleep = _gpu_host_services.processes(host)
    assert [one["pid"] for one in asleep.values()] == [4711]
    target = tmp_path / path.lstrip("/")
    if content is None:
        target.unlink()
    else:
        target.write_text(content)
    assert _gpu_host_services.still_asleep(host, asleep) == []


def test_nobody_waits_for_nobody() -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError("waited")

    assert _gpu_host_services.still_asleep(Host(sleep=sleep), {}) == []


def test_daemons(tmp_path: pathlib.Path) -> None:
    daemons, _asleep = _gpu_host_services.processes(made(tmp_path, profile="b200x8"))
    assert daemons == {
        "nv-fabricmanager": [812],
        "nvidia-persistenced": [811],
        "nvlsm": [813],
        "nvidia-imex": [],
        "nv-hostengine": [],
    }
