# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_steps import idle, kernel_changes, plan
from ansible_collections.gpufleet.inference.tests.unit.plugins.plugin_utils.gpu_lock_samples import (
    candidates,
    node,
    wishes,
)

H20 = ["2329"] * 8
DRIVER = {"nvidia-kernel-open-dkms": "580.126.20-1", "nvidia-driver-cuda": "580.126.20-1"}
RUNNING = {"active": "active", "enabled": "enabled"}


def loaded(version: str = "580.126.20", flavour: str = "open", nouveau: bool = False) -> dict[str, t.Any]:
    return {"version": version, "flavour": flavour, "nouveau": nouveau, "switches": []}


def test_a_node_without_cards_is_left_alone() -> None:
    found = plan(node(), wishes(version="nonsense", source="mirror"))
    assert not found["applies"] and found["mistakes"] == []
    assert (found["units"], found["module"]["action"], found["expect"], found["build"]) == ([], "none", {}, [])


def test_a_container_is_left_alone_unless_cards_are_declared() -> None:
    assert not plan(node(*H20, virtualization="docker"), wishes())["applies"]
    declared = plan(node(virtualization="docker"), wishes(cards=["2329"]))
    assert declared["applies"] and not declared["kernel_is_ours"]
    assert declared["build"] == [] and declared["module"]["action"] == "none"


def test_a_fresh_node_asks_then_installs_everything() -> None:
    before = plan(node("1eb8"), wishes())
    assert not before["complete"] and before["install"] == [] and before["refusal"] == ""
    assert "nvidia-driver-cuda" in before["patterns"]
    after = plan(node("1eb8"), wishes(), candidates("debian12"))
    assert "nvidia-driver-cuda=580.126.20-1" in after["install"]
    assert after["build"] == ["dkms", "linux-headers-6.1.0-40-amd64"]


def test_what_is_installed_of_the_driver_is_held() -> None:
    others = {"nvidia-container-toolkit": "1.18.1-1", "libcuda1": "580.126.20-1"}
    done = node("1eb8", packages={**DRIVER, **others}, held_packages=["nvidia-driver-cuda"])
    assert plan(done, wishes())["hold"] == ["libcuda1", "nvidia-kernel-open-dkms"]
    assert plan({**done, "gpus": []}, wishes())["hold"] == []


def test_a_finished_node_needs_nothing() -> None:
    done = node("1eb8", packages=DRIVER, held_packages=list(DRIVER), nvidia=loaded())
    found = plan(done, wishes())
    assert found["complete"] and found["install"] == [] and found["hold"] == [] and found["build"] == []
    assert found["module"] == {
        "action": "none",
        "why": "",
        "unload": ["nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia"],
    }


def test_a_branch_keeps_what_is_installed_although_newer_is_there() -> None:
    done = node("1eb8", packages=dict.fromkeys(DRIVER, "580.105.08-1"))
    found = plan(done, wishes(version="580"), candidates("debian12"))
    assert found["complete"] and found["lock"]["driver"] == "580.105.08"


def test_another_version_moves_all_packages() -> None:
    done = node("1eb8", packages=DRIVER, held_packages=list(DRIVER))
    found = plan(done, wishes(version="580.105.08"), candidates("debian12"))
    assert not found["complete"]
    assert {"nvidia-driver-cuda=580.105.08-1", "nvidia-kernel-open-dkms=580.105.08-1"} <= set(found["install"])


def test_what_came_as_a_dependency_moves_along() -> None:
    others = {"libnvidia-ml1": "580.126.20-1", "nvidia-container-toolkit": "1.18.1-1", "libcuda1": "580.105.08-1"}
    done = node("1eb8", packages={**DRIVER, **others})
    found = plan(done, wishes(version="580.105.08"), candidates("debian12"))["install"]
    assert "libnvidia-ml1=580.105.08-1" in found
    assert not [one for one in found if one.startswith(("libcuda1", "nvidia-container-toolkit"))]


def test_another_branch_releases_what_gives_way_and_drops_its_pins() -> None:
    others = {"nvidia-fabricmanager-580": "580.126.20-1", "nvidia-driver-pinning-580.126.20": "580.126.20-1"}
    held = [*DRIVER, *others, "linux-image-amd64"]
    done = node(*H20, switches=4, packages={**DRIVER, **others, "linux-image-amd64": "6.1"}, held_packages=held)
    found = plan(done, wishes(version="590"), candidates("debian12"))
    assert found["release"] == sorted([*DRIVER, *others])
    assert found["remove"] == ["nvidia-driver-pinning-580.126.20"]
    same = plan(done, wishes(), candidates("debian12"))
    assert (same["release"], same["remove"]) == ([], [])


def test_a_driver_without_its_fabric_manager_is_not_complete() -> None:
    bare = node(*H20, switches=4, packages=DRIVER)
    assert not plan(bare, wishes())["complete"]
    assert plan({**bare, "packages": {**DRIVER, "nvidia-fabricmanager-580": "580.126.20-1"}}, wishes())["complete"]
    other = {**DRIVER, "nvidia-fabricmanager-580": "580.105.08-1"}
    assert not plan({**bare, "packages": other}, wishes())["complete"]


def test_no_room_is_told_before_anything_changes() -> None:
    full = node("1eb8", disk_free_bytes={"/": 2**30, "/var/lib": 50 * 2**30})
    assert "/ has 1.0 GiB free" in plan(full, wishes(), candidates("debian12"))["refusal"]
    assert plan({**full, "packages": DRIVER}, wishes())["refusal"] == ""


def test_what_the_repository_has_not_is_the_refusal() -> None:
    assert "no driver 580.9.9" in plan(node("1eb8"), wishes(version="580.9.9"), candidates("debian12"))["refusal"]
    assert plan(node("1eb8"), wishes(version="580.9.9"))["refusal"] == ""


@pytest.mark.parametrize(
    ("seen", "action", "why"),
    [
        (loaded(), "none", ""),
        (loaded(""), "load", "no driver is loaded"),
        (
            loaded("580.105.08"),
            "reload",
            "the kernel runs driver 580.105.08, the libraries are 580.126.20 (NVML error 18",
        ),
        (loaded(flavour="proprietary"), "reload", "proprietary modules"),
        (loaded("", nouveau=True), "reboot", "nouveau"),
    ],
)
def test_the_kernel_comes_to_the_driver(seen: dict[str, t.Any], action: str, why: str) -> None:
    found = plan(node("1eb8", packages=DRIVER, nvidia=seen), wishes())["module"]
    assert found["action"] == action and why in found["why"]


def test_a_runfile_is_there_when_its_driver_is_loaded() -> None:
    wanted = wishes(source="runfile", runfile_url="https://x", runfile_sha256="a" * 64, version="580.126.20")
    assert plan(node("1eb8", nvidia=loaded()), wanted)["complete"]
    fresh = plan(node("1eb8"), wanted)
    assert not fresh["complete"] and fresh["refusal"] == "" and fresh["module"]["action"] == "load"


@pytest.mark.parametrize(
    ("flavour", "peermem", "expected"),
    [("open", "auto", False), ("proprietary", "auto", True), ("open", "always", True), ("proprietary", "never", False)],
)
def test_peermem_is_loaded_where_dma_buf_is_not(flavour: str, peermem: str, expected: bool) -> None:
    found = plan(node("1eb8"), wishes(flavour=flavour, peermem=peermem))
    assert ("nvidia_peermem" in found["modules_load"]) is expected
    assert (found["module"]["unload"][0] == "nvidia_peermem") is expected


def test_units_follow_the_needs() -> None:
    assert plan(node("1eb8"), wishes())["units"] == ["nvidia-persistenced.service"]
    assert plan(node("1eb8"), wishes(persistence=False))["units"] == []
    assert "nvidia-fabricmanager.service" in plan(node(*H20, switches=4), wishes())["units"]
    assert "nvidia-imex.service" in plan(node("2941"), wishes())["units"]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, ["a.service"]),
        ({"a.service": RUNNING}, []),
        ({"a.service": {**RUNNING, "enabled": "disabled"}}, ["a.service"]),
    ],
)
def test_idle_units_are_those_not_running_or_not_enabled(seen: dict[str, t.Any], expected: list[str]) -> None:
    assert idle(node(units=seen), ["a.service"]) == expected


def test_the_profile_says_what_the_role_made_so() -> None:
    settings = {"power_limit_w": 500, "locked_clocks_mhz": [1500, 1600]}
    expect = plan(node(*H20, switches=4), wishes(cuda_at_least="13.0", settings=settings), candidates("debian12"))[
        "expect"
    ]
    assert expect == {
        "gpus": 8,
        "driver_version": "580.126.20",
        "module_flavour": "open",
        "fabric_manager": "required",
        "persistence": True,
        "cuda_at_least": "13.0",
        "power_limit_w": 500,
        "locked_clock_mhz": 1600,
    }


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"linux-image-amd64": "6.1.1", "nvidia-driver-cuda": "580", "linux-headers-6.1.0-1-amd64": "6.1.1"}, 0),
        ({"linux-image-amd64": "6.1.2"}, 1),
        ({"linux-image-amd64": "6.1.1", "linux-image-6.1.0-2-amd64": "6.1.2"}, 1),
        ({}, 1),
        ({"linux-image-amd64": "6.1.1", "kernel-core": "5.14"}, 1),
    ],
)
def test_a_changed_kernel_is_named(after: dict[str, str], expected: int) -> None:
    before = node(packages={"linux-image-amd64": "6.1.1"})
    assert len(kernel_changes(before, node(packages=after))) == expected
