# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _runtime_change as change
from tests.unit.plugins.plugin_utils.runtime_samples import node, wishes


@pytest.mark.parametrize(
    ("wrong", "packages", "says"),
    [
        ({"source": "distribution", "distribution_packages": []}, {}, "has no Docker package of its own; write docker"),
        ({"source": "docker", "repository_url": ""}, {}, "container_runtime_repository_url"),
        ({"source": "docker"}, {"docker.io": "20.10"}, "the node has the package docker.io; write distribution"),
        ({"source": "distribution"}, {"docker-ce": "5:28"}, "the node has the package docker-ce; write docker"),
        ({"version": "latest"}, {}, "container_runtime_version: 'latest'"),
        ({"containerd_version": ""}, {}, "container_runtime_containerd_version"),
        ({"http_proxy": "proxy:3128"}, {}, "container_runtime_http_proxy"),
        ({"https_proxy": "proxy:3128"}, {}, "container_runtime_https_proxy"),
        ({"data_root": "data"}, {}, "container_runtime_data_root"),
        ({"log_max_size": "100 MB"}, {}, "container_runtime_log_max_size"),
        ({"default_runtime": "nvidia"}, {}, "container_runtime_default_runtime"),
        ({"daemon_options": {"hosts": ["tcp://0.0.0.0"]}}, {}, "hosts clashes"),
    ],
)
def test_mistakes(wrong: dict[str, t.Any], packages: dict[str, str], says: str) -> None:
    found = change.mistakes(wishes(**wrong), node(packages))
    assert len(found) == 1
    assert says in found[0]


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"source": "distribution"},
        {"http_proxy": "http://user:pass@proxy:3128", "https_proxy": "socks5://proxy:1080"},
        {"default_runtime": "nvidia", "runtimes": {"nvidia": {"path": "/usr/bin/nvidia-container-runtime"}}},
    ],
)
def test_no_mistakes(good: dict[str, t.Any]) -> None:
    assert change.mistakes(wishes(**good), node()) == []


def test_all_mistakes_at_once() -> None:
    assert len(change.mistakes(wishes(version="x", data_root="x", log_max_size="x"), node())) == 3


def test_daemon_options() -> None:
    options = change.daemon_options(
        wishes(
            registry_mirrors=["https://m"],
            address_pools=[{"base": "10.0.0.0/8", "size": 24}],
            daemon_options={"log-opts": {"max-file": "9"}, "debug": True},
        ),
        can_raise_limits=True,
    )
    assert options == {
        "default-address-pools": [{"base": "10.0.0.0/8", "size": 24}],
        "data-root": "/var/lib/docker",
        "debug": True,
        "default-ulimits": {
            "memlock": {"Name": "memlock", "Soft": -1, "Hard": -1},
            "nofile": {"Name": "nofile", "Soft": 1048576, "Hard": 1048576},
        },
        "features": {"containerd-snapshotter": False},
        "live-restore": True,
        "log-driver": "json-file",
        "log-opts": {"max-size": "100m", "max-file": "9"},
        "registry-mirrors": ["https://m"],
    }


NVIDIA = {"nvidia": {"path": "nvidia-container-runtime", "args": []}}


@pytest.mark.parametrize(
    ("changed", "runtimes", "cdi"),
    [
        ({"gpu_access": ""}, None, None),
        ({"gpu_access": "cdi"}, NVIDIA, True),
        ({"gpu_access": "runtime"}, NVIDIA, None),
        ({"gpu_access": "runtime", "source": "distribution"}, NVIDIA, None),
        ({"gpu_access": "cdi", "runtimes": {"nvidia": {"path": "/x"}}}, {"nvidia": {"path": "/x"}}, True),
    ],
)
def test_gpus_in_daemon_options(changed: dict[str, t.Any], runtimes: t.Any, cdi: bool | None) -> None:
    options = change.daemon_options(wishes(**changed), can_raise_limits=True)
    assert options.get("runtimes") == runtimes
    assert options.get("features", {}).get("cdi") is cdi


def test_nvidia_may_be_the_default_runtime_where_its_toolkit_is_ours() -> None:
    assert change.mistakes(wishes(gpu_access="runtime", default_runtime="nvidia"), node()) == []


@pytest.mark.parametrize(
    ("gpu_image", "images", "image"),
    [("", [{"name": "engine:1"}, {"name": "b:1"}], "engine:1"), ("b:1", [{"name": "engine:1"}], "b:1"), ("", [], "")],
)
def test_gpus_are_expected_in_a_container(gpu_image: str, images: list[dict[str, t.Any]], image: str) -> None:
    wished = wishes(gpu_image=gpu_image)
    gpus = {"count": 8, "access": "cdi"}
    assert change.expectation(wished, images, gpus)["gpus"] == {"count": 8, "access": "cdi", "image": image}
    assert "gpus" not in change.expectation(wished, images, {})


def test_no_limits_where_they_cannot_be_raised() -> None:
    assert "default-ulimits" not in change.daemon_options(wishes(), can_raise_limits=False)


def test_environment() -> None:
    found = change.environment(wishes(https_proxy="http://p:1", no_proxy=["localhost", "10.0.0.0/8"]))
    assert found == {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "localhost,10.0.0.0/8"}


@pytest.mark.parametrize(
    ("wish", "changed"),
    [
        ({"registry_mirrors": ["https://m"]}, {"configuration"}),
        ({"live_restore": False}, {"configuration"}),
        ({"runtimes": {"nvidia": {"path": "x"}}}, {"configuration"}),
        ({"daemon_options": {"debug": True}}, {"configuration"}),
        ({"nofile": 4096}, {"start"}),
        ({"data_root": "/data"}, {"start"}),
        ({"log_max_files": 9}, {"start"}),
        ({"http_proxy": "http://p:1"}, {"start"}),
        ({"daemon_options": {"debug": True, "mtu": 9000}}, {"configuration", "start"}),
        ({"restart_allowed": True}, set()),
    ],
)
def test_what_needs_a_restart(wish: dict[str, t.Any], changed: set[str]) -> None:
    def prints(**wishes_: t.Any) -> dict[str, str]:
        wanted = wishes(**wishes_)
        return change.fingerprints(change.daemon_options(wanted, True), change.environment(wanted))

    before, after = prints(), prints(**wish)
    assert {key for key in before if before[key] != after[key]} == changed


@pytest.mark.parametrize(
    ("wish", "manager", "installed", "missing"),
    [
        ({"source": "distribution"}, "apt", {"docker.io": "1", "iptables": "1"}, []),
        ({"source": "distribution"}, "apt", {"iptables": "1"}, ["docker.io"]),
        ({}, "apt", {}, ["docker-ce=5:29.6.1-*", "docker-ce-cli=5:29.6.1-*", "containerd.io=2.2.5-*"]),
        (
            {},
            "apt",
            {
                "docker-ce": "5:29.6.1-1~debian.12~bookworm",
                "docker-ce-cli": "5:28.5.2-1~debian.12~bookworm",
                "containerd.io": "2.2.5-1~debian.12~bookworm",
            },
            ["docker-ce-cli=5:29.6.1-*"],
        ),
        ({}, "dnf", {"docker-ce": "29.6.1-1.el9", "docker-ce-cli": "29.6.1-1.el9"}, ["containerd.io-2.2.5-*"]),
        (
            {"docker_packages": ["docker-ce", "docker-buildx-plugin"]},
            "apt",
            {"docker-ce": "5:29.6.1-1"},
            ["docker-buildx-plugin"],
        ),
        # 29.6.10 is not 29.6.1
        ({"docker_packages": ["docker-ce"]}, "dnf", {"docker-ce": "29.6.10-1.el9"}, ["docker-ce-29.6.1-*"]),
    ],
)
def test_packages(wish: dict[str, t.Any], manager: str, installed: dict[str, str], missing: list[str]) -> None:
    assert change.packages(wishes(**wish), node(installed, package_manager=manager)) == missing


RUNNING = {
    "reachable": True,
    "configuration": "c",
    "start": "s",
    "live_restore": True,
    "running": ["gpufleet-ray", "other"],
}


@pytest.mark.parametrize(
    ("seen", "packages", "enabled", "allowed", "action", "refused"),
    [
        ({}, [], True, False, "none", False),
        ({}, [], False, False, "start", False),
        ({"reachable": False}, [], True, False, "start", False),
        ({"reachable": False}, ["docker-ce"], False, False, "start", False),
        ({"configuration": "x"}, [], True, False, "reload", False),
        ({"configuration": None}, [], True, False, "reload", False),
        ({"start": "x"}, [], True, False, "restart", True),
        ({"start": None}, [], True, False, "restart", True),
        ({"start": "x"}, [], True, True, "restart", False),
        ({"start": "x", "configuration": "x"}, [], True, False, "restart", True),
        ({"start": "x", "running": ["other"]}, [], True, False, "restart", False),
        ({"start": "x", "running": ["other"], "live_restore": False}, [], True, False, "restart", True),
        ({"start": "x", "running": []}, [], True, False, "restart", False),
        ({}, ["docker-ce"], True, False, "restart", True),
        ({}, ["docker-ce"], True, True, "restart", False),
        ({"running": []}, ["docker-ce"], True, False, "restart", False),
    ],
)
def test_action(
    seen: dict[str, t.Any], packages: list[str], enabled: bool, allowed: bool, action: str, refused: bool
) -> None:
    wanted = {"configuration": "c", "start": "s"}
    found = change.action({**RUNNING, **seen}, wanted, packages, enabled, allowed)
    assert (found["action"], bool(found["refusal"])) == (action, refused)


def test_a_refusal_names_ranks_and_remedy() -> None:
    refusal = change.action({**RUNNING, "start": "x"}, {"configuration": "c", "start": "s"}, [], True, False)["refusal"]
    assert "gpufleet-ray" in refusal
    assert "other" not in refusal
    assert "container_runtime_restart_allowed: true" in refusal


def test_plan_and_what_the_daemon_then_says_agree() -> None:
    """After the plan was carried out, the next one has nothing to do and the proof expects what was written."""
    wanted = wishes(registry_mirrors=["https://m/"], http_proxy="http://user:secret@p:1")
    bare = {"reachable": False, "can_raise_limits": True}
    first = change.plan(wanted, node(), bare)
    assert first["action"] == "start"
    assert first["packages"]
    assert f"gpufleet.configuration={first['fingerprints']['configuration']}" in first["daemon"]["labels"]
    assert "secret" not in str(first["daemon"])
    installed = {
        "docker-ce": "5:29.6.1-1~debian.12",
        "docker-ce-cli": "5:29.6.1-1~debian.12",
        "containerd.io": "2.2.5-1",
    }
    after = {
        **RUNNING,
        "can_raise_limits": True,
        "configuration": first["fingerprints"]["configuration"],
        "start": first["environment"]["GPUFLEET_DOCKER_START"],
    }
    units = {"docker.service": {"enabled": "enabled"}}
    second = change.plan(wanted, node(installed, units=units), after)
    assert (second["action"], second["packages"]) == ("none", [])
    expected = change.expectation(wanted, [])
    assert after["configuration"] == expected["configuration"]
    assert after["start"] in expected["start"]
    assert (expected["version"], expected["registry_mirrors"]) == ("29.6.1", ["https://m"])
    assert (expected["nofile"], expected["memlock"]) == ("1048576/1048576", "unlimited/unlimited")


def test_the_expectation_holds_on_a_node_that_may_not_raise_limits() -> None:
    wanted = wishes(source="distribution")
    planned = change.plan(wanted, node(), {"reachable": False, "can_raise_limits": False})
    expected = change.expectation(wanted, [{"name": "a:1"}])
    assert planned["fingerprints"]["start"] in expected["start"]
    assert expected["images"] == [{"name": "a:1"}]
    assert "version" not in expected


def test_labels_of_the_user_stay() -> None:
    planned = change.plan(
        wishes(daemon_options={"labels": ["site=a"]}), node(), {"reachable": False, "can_raise_limits": True}
    )
    assert planned["daemon"]["labels"][0] == "site=a"
    assert len(planned["daemon"]["labels"]) == 2
