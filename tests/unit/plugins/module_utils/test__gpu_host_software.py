# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_host_software
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from tests.fakes.gpu_host import LIBRARY_DIRECTORY, answering, make_root


def made(root: pathlib.Path, **changes: t.Any) -> Host:
    make_root(root, **changes)
    return Host(root=str(root), run=answering(root))


def found_library(path: str, version: str, exists: bool = True) -> dict[str, t.Any]:
    return {"path": path, "version": version, "exists": exists}


CUDA = f"{LIBRARY_DIRECTORY}/libcuda.so.1"
CACHE = (
    "3 libs found in cache `/etc/ld.so.cache'\n"
    "\tlibcuda.so.1 (libc6) => /usr/lib/i386-linux-gnu/libcuda.so.1\n"
    "\tlibcuda.so.1 (libc6,x86-64) => /usr/local/cuda/compat/libcuda.so.1\n"
    f"\tlibcuda.so.1 (libc6,x86-64) => {CUDA}\n"
    f"\tlibcuda.so (libc6,x86-64) => {LIBRARY_DIRECTORY}/libcuda.so\n"
)


@pytest.mark.parametrize(
    ("changes", "of_cuda"),
    [
        ({}, [found_library(CUDA, "580.159.04")]),
        ({"library": "575.57.08"}, [found_library(CUDA, "575.57.08")]),
        ({"library": None}, []),
        (
            {"files": {f"{LIBRARY_DIRECTORY}/libcuda.so.580.159.04": None}},
            [found_library(CUDA, "580.159.04", exists=False)],
        ),
        (
            {"answers": {"ldconfig": CACHE}},
            [found_library("/usr/local/cuda/compat/libcuda.so.1", "", exists=False), found_library(CUDA, "580.159.04")],
        ),
    ],
)
def test_libraries(tmp_path: pathlib.Path, changes: t.Any, of_cuda: t.Any) -> None:
    found = _gpu_host_software.libraries(made(tmp_path, **changes))
    assert (found["libcuda.so.1"], found["problem"]) == (of_cuda, "")


def test_no_ldconfig_is_not_no_library(tmp_path: pathlib.Path) -> None:
    assert _gpu_host_software.libraries(made(tmp_path, answers={"ldconfig": None})) == {
        "libcuda.so.1": None,
        "libnvidia-ml.so.1": None,
        "problem": "/sbin/ldconfig is not installed",
    }


def test_the_real_cache_of_the_loader_is_read() -> None:
    found = _gpu_host_software.libraries(Host())
    assert found["problem"] == ""
    assert isinstance(found["libcuda.so.1"], list)


def test_packages(tmp_path: pathlib.Path) -> None:
    host = made(tmp_path, packages={"vim": "9", "cuda-compat-13-0": "580.1"}, held=["nvidia-open", "vim"])
    found = _gpu_host_software.packages(host)
    assert found["versions"]["nvidia-open"] == "580.159.04-1"
    assert "cuda-compat-13-0" in found["versions"] and "vim" not in found["versions"]
    assert (found["manager"], found["held"], found["blacklist"]) == ("apt", ["nvidia-open"], ["nvidia", "libnvidia"])


def test_packages_when_apt_does_not_answer(tmp_path: pathlib.Path) -> None:
    assert _gpu_host_software.packages(made(tmp_path, answers={"apt-config": None}))["blacklist"] is None


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("/etc/environment", 'CUDA_PROFILE="1"\n', "1"),
        ("/etc/profile.d/cuda.sh", "export CUDA_PROFILE=1; true\n", "1"),
        ("/etc/systemd/system.conf.d/a.conf", '[Manager]\nDefaultEnvironment="A=1" "CUDA_PROFILE=2"\n', "2"),
        ("/etc/systemd/system/x.service.d/a.conf", "[Service]\nEnvironment=CUDA_PROFILE=\n", ""),
        ("/etc/environment", "# CUDA_PROFILE=1\n", None),
        ("/etc/environment", "MY_CUDA_PROFILE=1\n", None),
        ("/etc/environment", "CUDA_PROFILER=1\n", None),
    ],
)
def test_environment(tmp_path: pathlib.Path, path: str, text: str, value: str | None) -> None:
    expected = [] if value is None else [{"path": path, "name": "CUDA_PROFILE", "value": value}]
    assert _gpu_host_software.environment(made(tmp_path, files={path: text})) == expected


@pytest.mark.parametrize("name", _gpu_host_software.HARMFUL_VARIABLES)
def test_every_harmful_variable_is_seen(tmp_path: pathlib.Path, name: str) -> None:
    found = _gpu_host_software.environment(made(tmp_path, files={"/etc/environment": f"{name}=1\n"}))
    assert [one["name"] for one in found] == [name]


@pytest.mark.parametrize(
    ("changes", "version", "problem"),
    [
        ({}, "1.18.0", ""),
        ({"files": {"/usr/bin/nvidia-ctk": None}}, "", ""),
        ({"answers": {"nvidia-ctk": "nonsense"}}, None, "nvidia-ctk does not tell its version"),
        ({"answers": {"nvidia-ctk": {"rc": 2, "stderr": "boom"}}}, None, "/usr/bin/nvidia-ctk returned 2: boom"),
    ],
)
def test_toolkit(tmp_path: pathlib.Path, changes: t.Any, version: t.Any, problem: str) -> None:
    found = _gpu_host_software.toolkit(made(tmp_path, **changes))
    assert found == {"toolkit": version, "toolkit_problem": problem}


DAEMON = "/etc/docker/daemon.json"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {},
            {"problem": "", "default_runtime": "runc", "runtimes": ["nvidia"], "cdi": None, "cgroup_driver": "systemd"},
        ),
        ({DAEMON: None}, {"daemon_json": {}, "problem": "", "runtimes": []}),
        ({DAEMON: ""}, {"daemon_json": {}, "problem": ""}),
        (
            {DAEMON: '{"default-runtime": "nvidia", "features": {"cdi": true}}'},
            {"default_runtime": "nvidia", "cdi": True},
        ),
        ({DAEMON: '{"exec-opts": ["native.cgroupdriver=cgroupfs"]}'}, {"cgroup_driver": "cgroupfs"}),
        (
            {DAEMON: '{"exec-opts": ["native.cgroupdriver=systemd"]}', "/sys/fs/cgroup/cgroup.controllers": None},
            {"cgroup_driver": "systemd"},
        ),
        ({"/sys/fs/cgroup/cgroup.controllers": None, "/sys/fs/cgroup/memory/tasks": ""}, {"cgroup_driver": "cgroupfs"}),
        ({DAEMON: "[1]"}, {"daemon_json": None, "problem": f"{DAEMON} is no dictionary"}),
        ({DAEMON: "{,}"}, {"daemon_json": None, "cdi": None}),
        ({DAEMON: None, f"{DAEMON}/x": ""}, {"daemon_json": None, "problem": f"{DAEMON} cannot be read"}),
    ],
)
def test_docker(tmp_path: pathlib.Path, files: t.Any, expected: t.Any) -> None:
    found = _gpu_host_software.containers(made(tmp_path, files=files))["docker"]
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("files", "mode", "version", "links"),
    [
        ({}, "auto", 2, 0),
        ({"/etc/nvidia-container-runtime/config.toml": '# mode = "cdi"\n  mode = "legacy"\n'}, "legacy", 2, 0),
        ({"/etc/nvidia-container-runtime/config.toml": None, "/dev/char/195:0": "", "/dev/char/1:3": ""}, "", 2, 1),
        ({"/sys/fs/cgroup/cgroup.controllers": None, "/sys/fs/cgroup/memory/tasks": ""}, "auto", 1, 0),
        ({"/sys/fs/cgroup/cgroup.controllers": None}, "auto", None, 0),
    ],
)
def test_containers(tmp_path: pathlib.Path, files: t.Any, mode: str, version: int | None, links: int) -> None:
    found = _gpu_host_software.containers(made(tmp_path, files=files))
    assert (found["runtime_mode"], found["cgroup_version"], found["device_links"]) == (mode, version, links)
