# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How containers get GPUs, and what of the toolkit is missing: tables of cases."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gpu_containers

PACKAGES = [
    "nvidia-container-toolkit",
    "nvidia-container-toolkit-base",
    "libnvidia-container-tools",
    "libnvidia-container1",
]
REPOSITORY = "https://nvidia.example.org/deb/amd64"
INSTALLED = dict.fromkeys(PACKAGES, "1.20.1-1")
OLD = dict.fromkeys(PACKAGES, "1.14.3-1")
SPECIFICATION = {"path": "/run/cdi/nvidia.yaml", "devices": ["0", "all"], "driver_version": "580.126.20"}


def wishes(**changed: t.Any) -> dict[str, t.Any]:
    return {
        "toolkit": "auto",
        "toolkit_version": "1.20.1",
        "toolkit_packages": PACKAGES,
        "toolkit_repository_url": REPOSITORY,
        "toolkit_key_fingerprint": "C95B321B61E88C1809C4F759DDCAE044F796ECB0",
        "source": "docker",
        "version": "29.6.1",
        **changed,
    }


def node(docker: t.Any = None, nvidia: t.Any = None, **changed: t.Any) -> dict[str, t.Any]:
    """Return a bare node with eight H20 and a driver, on which nothing of the toolkit is."""
    return {
        "virtualization": "none",
        "package_manager": "apt",
        "gpus": [{"pci": f"0000:0{number}:00.0", "device": "2329"} for number in range(8)],
        "packages": {},
        "held_packages": [],
        "docker": {"cgroup_driver": "systemd", "running": [], "cdi_devices": [], **(docker or {})},
        "nvidia": {"version": "580.126.20", "cdi": [], "runtime_mode": "auto", "device_links": 0, **(nvidia or {})},
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "seen", "expected"),
    [
        ({}, {}, True),
        ({}, {"gpus": []}, False),
        ({}, {"virtualization": "docker"}, False),  # the machine's cards
        ({"toolkit": "always"}, {"virtualization": "docker", "gpus": []}, True),
        ({"toolkit": "never"}, {}, False),
    ],
)
def test_wanted(changed: dict[str, t.Any], seen: dict[str, t.Any], expected: bool) -> None:
    assert _gpu_containers.plan(wishes(**changed), node(**seen))["wanted"] is expected


@pytest.mark.parametrize(
    ("changed", "cdi_devices", "expected"),
    [
        ({}, [], "cdi"),  # the same before and after the first run
        ({}, ["nvidia.com/gpu=all"], "cdi"),
        ({"version": "25.0.0"}, [], "cdi"),
        ({"version": "24.0.9"}, [], "runtime"),
        ({"source": "distribution"}, [], "runtime"),
        ({"source": "distribution"}, ["nvidia.com/gpu=all"], "runtime"),
        ({"toolkit": "never"}, [], "hook"),
        ({"toolkit": "never"}, ["nvidia.com/gpu=0"], "hook"),
        ({"toolkit": "never"}, ["nvidia.com/gpu=0", "nvidia.com/gpu=all"], "cdi"),
    ],
)
def test_access(changed: dict[str, t.Any], cdi_devices: list[str], expected: str) -> None:
    assert _gpu_containers.access(wishes(**changed), node({"cdi_devices": cdi_devices})) == expected


@pytest.mark.parametrize(
    ("changed", "seen", "packages"),
    [
        ({}, {}, [f"{name}=1.20.1-*" for name in PACKAGES]),
        ({}, {"package_manager": "dnf"}, [f"{name}-1.20.1-*" for name in PACKAGES]),
        ({}, {"packages": INSTALLED}, []),
        ({}, {"packages": {**INSTALLED, PACKAGES[3]: "1.20.10-1"}}, [f"{PACKAGES[3]}=1.20.1-*"]),
        ({"toolkit": "never"}, {}, []),
    ],
)
def test_packages(changed: dict[str, t.Any], seen: dict[str, t.Any], packages: list[str]) -> None:
    assert _gpu_containers.plan(wishes(**changed), node(**seen))["packages"] == packages


@pytest.mark.parametrize(
    ("changed", "seen", "hold", "refresh"),
    [
        ({}, {}, PACKAGES, True),
        ({}, {"held_packages": PACKAGES[:3]}, PACKAGES[3:], True),
        ({}, {"nvidia": {"cdi": [SPECIFICATION]}}, PACKAGES, False),
        ({}, {"nvidia": {"cdi": [{**SPECIFICATION, "driver_version": ""}]}}, PACKAGES, False),
        ({}, {"nvidia": {"cdi": [{**SPECIFICATION, "driver_version": "570.211.01"}]}}, PACKAGES, True),
        ({}, {"nvidia": {"version": ""}}, PACKAGES, False),  # nothing can be made without a driver
        ({"toolkit": "never"}, {}, [], False),
    ],
)
def test_hold_and_refresh(changed: dict[str, t.Any], seen: dict[str, t.Any], hold: list[str], refresh: bool) -> None:
    found = _gpu_containers.plan(wishes(**changed), node(**seen))
    assert (found["hold"], found["refresh"]) == (hold, refresh)


def candidates(*versions: str, repository: str = REPOSITORY) -> dict[str, t.Any]:
    return {name: [{"version": one, "repository": repository} for one in versions] for name in PACKAGES}


@pytest.mark.parametrize(
    ("seen", "offered", "says"),
    [
        ({}, None, ""),
        ({}, candidates("1.18.2-1", "1.20.1-1"), ""),
        ({"packages": INSTALLED}, {}, ""),
        ({}, candidates("1.17.8-1", "1.18.2-1", "1.19.0-1"), "1.20.1. Write one of 1.19.0, 1.18.2."),
        ({}, candidates("1.17.8-1"), "Give another container_runtime_toolkit_repository_url."),
        ({}, candidates("1.20.1-1", repository="https://other"), "has no nvidia-container-toolkit, nvidia"),
        ({}, {**candidates("1.20.1-1"), PACKAGES[3]: []}, f"{REPOSITORY} has no libnvidia-container1 1.20.1."),
        ({}, {}, "Give another"),
    ],
)
def test_refusal(seen: dict[str, t.Any], offered: t.Any, says: str) -> None:
    refusal = _gpu_containers.plan(wishes(), node(**seen), offered)["refusal"]
    assert says in refusal
    assert bool(refusal) is bool(says)


def test_without_a_repository_any_source_of_the_node_will_do() -> None:
    offered = candidates("1.20.1-1", repository="file:/var/lib/gpufleet/nvidia_packages")
    assert _gpu_containers.plan(wishes(toolkit_repository_url=""), node(), offered)["refusal"] == ""


RANKS = {"running": ["gpufleet-ray", "other"]}
LEGACY = {"runtime_mode": "legacy"}


@pytest.mark.parametrize(
    ("changed", "seen", "says"),
    [
        ({}, {}, ""),
        ({"toolkit_version": "1.20"}, {}, "'1.20' is no version"),
        ({"toolkit_version": "1.17.8"}, {}, "write 1.18.0 or newer"),
        ({"toolkit_key_fingerprint": "0xF796ECB0"}, {}, "40 hexadecimal digits"),
        ({"toolkit_key_fingerprint": "", "toolkit_repository_url": ""}, {}, ""),
        # GPUs by the hook
        ({"toolkit": "never"}, {}, "by NVIDIA's hook"),
        ({"toolkit": "never"}, {"docker": {"cdi_devices": ["nvidia.com/gpu=all"]}}, ""),
        ({"toolkit": "never"}, {"docker": {"cgroup_driver": "cgroupfs"}}, ""),
        ({"toolkit": "never"}, {"docker": {"cgroup_driver": ""}}, ""),  # no daemon, nothing to lose
        ({"toolkit": "never"}, {"nvidia": {"device_links": 3}}, ""),
        ({"toolkit": "never"}, {"gpus": []}, ""),
        ({"toolkit": "never"}, {"virtualization": "docker"}, ""),
        # NVIDIA's runtime in legacy mode; Docker's own CDI does not ask it
        ({"source": "distribution"}, {"nvidia": LEGACY}, 'mode = "auto"'),
        ({}, {"nvidia": LEGACY}, ""),
        # an old toolkit, about to be replaced under ranks
        ({}, {"docker": RANKS, "packages": OLD}, "gpufleet-ray got the GPUs by toolkit 1.14.3-1"),
        ({}, {"docker": {"running": ["other"]}, "packages": OLD}, ""),
        ({}, {"docker": RANKS, "packages": INSTALLED}, ""),
        ({}, {"docker": RANKS}, ""),
        ({}, {"docker": {**RANKS, "cgroup_driver": "cgroupfs"}, "packages": OLD}, ""),
    ],
)
def test_mistakes(changed: dict[str, t.Any], seen: dict[str, t.Any], says: str) -> None:
    found = _gpu_containers.plan(wishes(**changed), node(**seen))["mistakes"]
    assert len(found) == bool(says)
    assert says in " ".join(found)


def test_pins_and_expectation() -> None:
    found = _gpu_containers.plan(wishes(), node())
    assert "Pin: version 1.20.1-*\n" in found["pins"]
    assert found["expect"] == {"count": 8, "access": "cdi"}
    assert _gpu_containers.plan(wishes(toolkit="never"), node())["expect"] == {}
