# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_daemon, _docker_socket

#: Parts of GET /info of Docker 20.10.24, as it answered on a lab host.
INFO = {
    "ServerVersion": "20.10.24+dfsg1",
    "Driver": "overlay2",
    "CgroupDriver": "cgroupfs",
    "LiveRestoreEnabled": True,
    "DockerRootDir": "/var/lib/docker",
    "DefaultRuntime": "runc",
    "Labels": ["site=a", "gpufleet.configuration=1111111111111111"],
    "RegistryConfig": {
        "InsecureRegistryCIDRs": ["10.0.0.0/8", "127.0.0.0/8"],
        "IndexConfigs": {"docker.io": {"Secure": True}, "registry.example.org:5000": {"Secure": False}},
        "Mirrors": ["https://mirror.example.org/"],
    },
}
GOOD: dict[str, t.Any] = {
    "reachable": True,
    "problem": "",
    "info": INFO,
    "variables": {"GPUFLEET_DOCKER_START": "2222222222222222", "HTTP_PROXY": "http://user:secret@proxy:3128"},
    "can_raise_limits": True,
    "running": ["gpufleet-ray"],
    "images": {"engine:1.0": "sha256:aa", "engine@sha256:dd": "sha256:aa", "other:1.0": "sha256:bb"},
    "container": {
        "name": "gpufleet-ray",
        "log": {"Type": "json-file", "Config": {"max-size": "100m", "max-file": "5"}},
        "limits": {"nofile": "1048576/1048576", "memlock": "unlimited/unlimited"},
    },
    "container_problem": "",
}
EXPECT: dict[str, t.Any] = {
    "version": "20.10.24+dfsg1",
    "storage_driver": "overlay2",
    "cgroup_driver": "cgroupfs",
    "live_restore": True,
    "data_root": "/var/lib/docker",
    "default_runtime": "runc",
    "registry_mirrors": ["https://mirror.example.org"],
    "insecure_registries": ["10.0.0.0/8", "registry.example.org:5000"],
    "configuration": "1111111111111111",
    "start": ["2222222222222222", "3333333333333333"],
    "log": {"driver": "json-file", "max-size": "100m", "max-file": "5"},
    "nofile": "1048576/1048576",
    "memlock": "unlimited/unlimited",
    "images": [
        {"name": "engine:1.0", "ids": ["sha256:aa", "sha256:cc"], "reference": ""},
        {"name": "engine:1.0", "ids": [], "reference": "engine@sha256:dd"},
        {"name": "other:1.0", "ids": [], "reference": ""},
    ],
}


def verdicts(readings: dict[str, t.Any], expect: dict[str, t.Any]) -> dict[str, str]:
    return {one["name"]: one["verdict"] for one in _docker_daemon.judge(readings, expect)}


def test_all_good() -> None:
    checks = _docker_daemon.judge(GOOD, EXPECT)
    assert {one["verdict"] for one in checks} == {"pass"}
    assert len(checks) == 1 + len(EXPECT) - 1 + len(EXPECT["images"])


def test_only_what_is_expected_is_checked() -> None:
    assert list(verdicts(GOOD, {})) == ["Docker daemon"]


@pytest.mark.parametrize(
    ("path", "value", "name", "verdict"),
    [
        (["info", "ServerVersion"], "19.03", "Docker version", "fail"),
        (["info", "Driver"], "vfs", "storage driver", "fail"),
        (["info", "CgroupDriver"], "systemd", "cgroup driver", "fail"),
        (["info", "LiveRestoreEnabled"], False, "live restore", "fail"),
        (["info", "LiveRestoreEnabled"], None, "live restore", "not_verified"),
        (["info", "DockerRootDir"], "/data", "data root", "fail"),
        (["info", "DefaultRuntime"], "nvidia", "default runtime", "fail"),
        (["info", "RegistryConfig", "Mirrors"], [], "registry mirrors", "fail"),
        (["info", "RegistryConfig", "InsecureRegistryCIDRs"], [], "insecure registries", "fail"),
        (["info", "Labels"], None, "configuration in use (reloadable part)", "fail"),
        (["variables"], {}, "configuration in use (part read at start)", "fail"),
        (["variables"], None, "configuration in use (part read at start)", "not_verified"),
        (["container"], None, "log rotation of a container", "not_verified"),
        (["container", "log", "Config"], {}, "log rotation of a container", "warn"),
        (["container"], None, "nofile of a container", "not_verified"),
        (["container", "limits"], None, "memlock of a container", "not_verified"),
        (["container", "limits", "memlock"], "65536/65536", "memlock of a container", "fail"),
        (["container", "limits", "nofile"], "1024/4096", "nofile of a container", "fail"),
        (["images"], {}, "image other:1.0", "fail"),
    ],
)
def test_each_verdict(path: list[str], value: t.Any, name: str, verdict: str) -> None:
    readings = copy.deepcopy(GOOD)
    inner: t.Any = readings
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    found = verdicts(readings, EXPECT)
    assert found[name] == verdict
    remedies = [one["remedy"] for one in _docker_daemon.judge(readings, EXPECT) if one["verdict"] == "fail"]
    assert all(remedies)


@pytest.mark.parametrize(
    ("wanted", "verdict"),
    [
        ({"name": "engine:1.0", "ids": ["sha256:cc"], "reference": ""}, "fail"),
        ({"name": "other:1.0", "ids": [], "reference": "engine@sha256:dd"}, "fail"),
        ({"name": "engine:1.0", "ids": [], "reference": "engine@sha256:ee"}, "fail"),
        ({"name": "none:1.0", "ids": [], "reference": ""}, "fail"),
        ({"name": "engine:1.0", "ids": ["sha256:aa"], "reference": ""}, "pass"),
    ],
)
def test_images(wanted: dict[str, t.Any], verdict: str) -> None:
    assert verdicts(GOOD, {"images": [wanted]})[f"image {wanted['name']}"] == verdict


def test_a_node_that_may_not_raise_limits_is_not_blamed() -> None:
    readings = copy.deepcopy(GOOD)
    readings["can_raise_limits"] = False
    readings["container"]["limits"] = {"nofile": "20000/20000", "memlock": "unlimited/unlimited"}
    found = verdicts(readings, EXPECT)
    assert (found["nofile of a container"], found["memlock of a container"]) == ("not_verified", "pass")


def test_unreachable_is_one_failed_check() -> None:
    checks = _docker_daemon.judge({**GOOD, "reachable": False, "problem": "no socket"}, EXPECT)
    assert [(one["verdict"], one["observed"]) for one in checks] == [("fail", "no socket")]


def test_facts_hide_the_environment() -> None:
    facts = _docker_daemon.facts(GOOD)
    assert (facts["configuration"], facts["start"]) == ("1111111111111111", "2222222222222222")
    assert facts["images"]["other:1.0"] == "sha256:bb"
    assert "secret" not in str(facts)


def test_facts_of_a_daemon_that_is_not_ours() -> None:
    facts = _docker_daemon.facts({**GOOD, "info": {"Labels": None}, "variables": None})
    assert (facts["configuration"], facts["start"], facts["live_restore"]) == (None, None, False)


def test_cdi_devices() -> None:
    """As GET /info of Docker 28.2 tells them; older ones tell nothing."""
    discovered = [
        {"Source": "cdi", "ID": "nvidia.com/gpu=all"},
        {"Source": "cdi", "ID": "nvidia.com/gpu=0"},
        {"Source": "cdi", "ID": "vendor.com/net=0"},
        {"Source": "other", "ID": "nvidia.com/gpu=1"},
    ]
    assert _docker_daemon.cdi_devices({"DiscoveredDevices": discovered}) == ["nvidia.com/gpu=0", "nvidia.com/gpu=all"]
    assert _docker_daemon.cdi_devices({}) == _docker_daemon.cdi_devices({"DiscoveredDevices": None}) == []


LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 1048576              files
Max locked memory         unlimited            unlimited            bytes
"""


def test_limits() -> None:
    assert _docker_daemon.limits(LIMITS) == {"nofile": "1024/1048576", "memlock": "unlimited/unlimited"}
    assert _docker_daemon.limits("exec format error") == {}


@pytest.mark.parametrize(
    ("status", "able"),
    [
        ("CapBnd:\t000001ffffffffff\n", True),
        ("CapBnd:\t000001fffeffffff\n", False),  # a container without CAP_SYS_RESOURCE
        ("Name:\tsystemd\n", False),
        (None, False),
    ],
)
def test_can_raise_limits(tmp_path: pathlib.Path, status: str | None, able: bool) -> None:
    (tmp_path / "proc/1").mkdir(parents=True)
    if status is not None:
        (tmp_path / "proc/1/status").write_text(status, encoding="ascii")
    assert _docker_daemon.can_raise_limits(str(tmp_path)) is able


def test_variables(tmp_path: pathlib.Path) -> None:
    assert _docker_daemon.variables(str(tmp_path)) is None
    (tmp_path / "run").mkdir()
    (tmp_path / "run/docker.pid").write_text("7\n", encoding="ascii")
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/environ").write_text("A=1\0B=x=y\0", encoding="ascii")
    assert _docker_daemon.variables(str(tmp_path)) == {"A": "1", "B": "x=y"}


class Daemon:
    """Answers of a daemon, and what it was asked."""

    def __init__(self, containers: list[dict[str, t.Any]], images: list[dict[str, t.Any]], starts: bool = True) -> None:
        self.starts = starts
        self.asked: list[str] = []
        log = {"Type": "json-file", "Config": {}}
        self.answers: dict[str, t.Any] = {
            "GET /info": INFO,
            "GET /containers/json": containers,
            "GET /images/json": images,
            "GET /containers/c1/json": {
                "Name": "/c1",
                "HostConfig": {"LogConfig": log, "Ulimits": None},
                "State": {"Pid": 7},
            },
            "GET /containers/c2/json": {"HostConfig": {"LogConfig": log, "Ulimits": [{"Name": "nofile"}]}},
            "GET /containers/probe/json": {"HostConfig": {"LogConfig": log}},
            "GET /containers/probe/logs?stdout=true": LIMITS,
            "POST /containers/create": {"Id": "probe"},
        }

    def request(self, method: str, path: str, *_rest: t.Any) -> tuple[int, t.Any]:
        self.asked.append(f"{method} {path}")
        if path.endswith("/start") and not self.starts:
            return 400, {"message": "cat: executable file not found"}
        return 200, self.answers.get(f"{method} {path}", {})

    def get(self, path: str, *_rest: t.Any) -> tuple[int, t.Any]:
        return self.request("GET", path)


IMAGES = [{"Id": "sha256:big", "Size": 9, "RepoTags": ["a:1"]}, {"Id": "sha256:small", "Size": 1, "RepoTags": None}]
PLAIN, LIMITED = {"Id": "c1", "Names": ["/c1"]}, {"Id": "c2", "Names": ["/c2"]}


@pytest.mark.parametrize(
    ("containers", "images", "starts", "probe", "name", "limits", "problem"),
    [
        ([PLAIN], IMAGES, True, True, "c1", {"nofile": "1024/1048576", "memlock": "unlimited/unlimited"}, ""),
        ([LIMITED], IMAGES, True, False, None, None, "no container runs, and none is started to try"),
        ([], [], True, True, None, None, "no container runs and there is no image to try"),
        ([], IMAGES, False, True, "a container made to try", None, "executable file not found"),
        (
            [LIMITED],
            IMAGES,
            True,
            True,
            "a container made to try",
            {"nofile": "1024/1048576", "memlock": "unlimited/unlimited"},
            "",
        ),
    ],
)
def test_read(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    containers: list[dict[str, t.Any]],
    images: list[dict[str, t.Any]],
    starts: bool,
    probe: bool,
    name: str | None,
    limits: dict[str, str] | None,
    problem: str,
) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/limits").write_text(LIMITS, encoding="ascii")
    daemon = Daemon(containers, images, starts)
    monkeypatch.setattr(_docker_socket, "get", daemon.get)
    monkeypatch.setattr(_docker_socket, "request", daemon.request)
    readings = _docker_daemon.read(probe, root=str(tmp_path))
    container = readings["container"]
    assert (container and container["name"]) == name
    assert (container and container["limits"]) == limits
    assert problem in readings["container_problem"]
    made = "POST /containers/create" in daemon.asked
    assert made == ("DELETE /containers/probe?force=true" in daemon.asked)
    assert readings["images"].get("a:1") == ("sha256:big" if images else None)


def test_read_an_unreachable_daemon(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_rest: t.Any) -> t.Any:
        raise _docker_socket.DockerUnreachableError("nobody listens")

    monkeypatch.setattr(_docker_socket, "get", none)
    readings = _docker_daemon.read(True, root=str(tmp_path))
    assert (readings["reachable"], readings["problem"]) == (False, "nobody listens")


def test_an_error_status_is_a_finding(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_docker_socket, "get", lambda *_rest: (500, {"message": "server error"}))
    assert "answered 500" in _docker_daemon.read(True, root=str(tmp_path))["problem"]
