# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node is read in one call, whatever state its Docker daemon is in."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_daemon, _docker_socket, _node
from ansible_collections.gpufleet.inference.plugins.modules import node_facts

Run = t.Callable[..., dict[str, t.Any]]

IMAGES = [
    {"Id": "sha256:1", "RepoTags": ["engine:1", "<none>:<none>"], "RepoDigests": ["engine@sha256:d"]},
    {"Id": "sha256:2", "RepoTags": None, "RepoDigests": ["<none>@<none>"]},
]
CONTAINERS = [
    {"Names": ["/gpufleet-ray"], "State": "running", "ImageID": "sha256:1"},
    {"Names": ["/old"], "State": "exited", "ImageID": "sha256:2"},
    {"Names": [], "State": "removing", "ImageID": "sha256:2"},
]
ANSWERS = {
    "/info": (200, {"ServerVersion": "29.1.0", "LiveRestoreEnabled": True, "Labels": ["gpufleet.configuration=ab"]}),
    "/images/json": (200, IMAGES),
    "/containers/json?all=true": (200, CONTAINERS),
}


def daemon(monkeypatch: pytest.MonkeyPatch, answers: dict[str, tuple[int, t.Any]]) -> None:
    """Let a stand-in answer for the Docker daemon."""
    monkeypatch.setattr(_docker_socket, "get", lambda path: answers[path])


def test_what_docker_has(monkeypatch: pytest.MonkeyPatch) -> None:
    daemon(monkeypatch, ANSWERS)
    monkeypatch.setattr(_docker_daemon, "variables", lambda: {"GPUFLEET_DOCKER_START": "cd", "HTTP_PROXY": "secret"})
    seen = node_facts.docker()
    assert (seen["reachable"], seen["problem"], seen["version"]) == (True, "", "29.1.0")
    assert (seen["live_restore"], seen["configuration"], seen["start"]) == (True, "ab", "cd")
    assert seen["running"] == ["gpufleet-ray"]
    assert seen["images"] == {
        "sha256:1": "sha256:1",
        "engine:1": "sha256:1",
        "engine@sha256:d": "sha256:1",
        "sha256:2": "sha256:2",
    }
    assert seen["containers"] == {
        "gpufleet-ray": {"state": "running", "image": "sha256:1"},
        "old": {"state": "exited", "image": "sha256:2"},
    }
    assert "secret" not in str(seen)


def empty(problem: str) -> dict[str, t.Any]:
    """Return what node_facts says of a daemon that gave no answer."""
    return {
        "reachable": False,
        "problem": problem,
        "version": "",
        "storage_driver": "",
        "cgroup_driver": "",
        "live_restore": False,
        "configuration": None,
        "start": None,
        "can_raise_limits": _docker_daemon.can_raise_limits(),
        "running": [],
        "images": {},
        "cdi_devices": [],
        "containers": {},
    }


@pytest.mark.parametrize("path", ANSWERS)
def test_a_daemon_that_answers_an_error_is_a_finding(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    daemon(monkeypatch, {**ANSWERS, path: (500, {"message": "broken"})})
    assert node_facts.docker() == empty(f"GET {path} answered 500: {{'message': 'broken'}}")


def test_a_dead_daemon_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(_path: str) -> t.NoReturn:
        raise _docker_socket.DockerUnreachableError("the Docker daemon is not running")

    monkeypatch.setattr(_docker_socket, "get", dead)
    assert node_facts.docker() == empty("the Docker daemon is not running")


def documented_keys() -> set[str]:
    """Return the keys that the documentation of the return value names."""
    return set(re.findall(r"C\((\w+)\)", node_facts.RETURN))


def test_this_machine_is_read_whole(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon(monkeypatch, ANSWERS)
    result = run_module("node_facts")
    assert not result["failed"] and not result["changed"]
    node = result["node"]
    assert set(node) == documented_keys()
    assert node["cpus"] > 0 and node["memory_bytes"] > 2**20
    assert set(node["disk_free_bytes"]) == {"/", "/var/lib", "/var/lib/docker"}
    assert node["docker"]["version"] == "29.1.0"
    assert set(node["python_environments"]) == {"/usr/local/lib/gpufleet/venv"}


def test_options_are_handed_on(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon(monkeypatch, ANSWERS)
    monkeypatch.setattr(_node, "units", lambda names: {name: {} for name in names})
    monkeypatch.setattr(_node, "disk_free_bytes", lambda paths: dict.fromkeys(paths, 1))
    monkeypatch.setattr(_node, "packages", lambda manager: ({"of": manager}, ["of"]))
    monkeypatch.setattr(_node, "distribution", lambda: {"package_manager": "dnf"})
    node = run_module("node_facts", check=True, units=["x.service"], disks=["/data"], python_environments=["/none"])[
        "node"
    ]
    assert node["units"] == {"x.service": {}}
    assert node["disk_free_bytes"] == {"/data": 1}
    assert node["python_environments"] == {"/none": {}}
    assert (node["packages"], node["held_packages"]) == ({"of": "dnf"}, ["of"])


def test_who_became_ready_with_which_kernels(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "0123456789ab-h200"
    folder.mkdir()
    (folder / ".ready-r1").touch()
    (folder / "triton").mkdir()
    assert node_facts.kernel_caches([str(tmp_path), str(tmp_path / "none")]) == {str(folder): ["r1"]}
    (tmp_path / "file").touch()
    assert node_facts.kernel_caches([str(tmp_path / "file")]) == {}


def test_addresses_are_those_of_all_interfaces_once(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon(monkeypatch, ANSWERS)
    found = {"lo": {"addresses": ["127.0.0.1"]}, "a": {"addresses": ["10.0.0.2", "10.0.0.1"]}, "b": {"addresses": []}}
    monkeypatch.setattr(_node, "interfaces", lambda: {**found, "c": found["lo"]})
    assert run_module("node_facts")["node"]["addresses"] == ["10.0.0.1", "10.0.0.2", "127.0.0.1"]
