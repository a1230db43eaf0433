# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock import (
    fits,
    lock,
    numbers,
    patterns,
    upstream,
)
from ansible_collections.gpufleet.inference.tests.unit.plugins.plugin_utils.gpu_lock_samples import (
    NAMINGS,
    candidates,
    node,
    wishes,
)

H20 = ["2329"] * 8
B200 = ["2901"] * 8


def resolve(folder: str, cards: list[str], switches: int = 0, **more: t.Any) -> dict[str, t.Any]:
    wanted = wishes(**{"namings": NAMINGS[folder], **more})
    return lock(wanted, node(*cards, switches=switches), candidates(folder))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("580.126.20-1", "580.126.20"),
        ("1:580.126.20-0ubuntu0.24.04.1", "580.126.20"),
        ("3:580.126.20-1.el9", "580.126.20"),
        ("595.84-0ubuntu1", "595.84"),
        ("580-5", "580"),
        ("none", ""),
    ],
)
def test_the_numbers_that_nvidia_counts(version: str, expected: str) -> None:
    assert upstream(version) == expected


def test_versions_are_ordered_by_number() -> None:
    assert sorted(["580.105.08-1", "580.95.05-1", "610.43.02-1"], key=numbers)[1] == "580.105.08-1"


@pytest.mark.parametrize(
    ("version", "wish", "expected"),
    [
        ("580.126.20", "580.126.20", True),
        ("580.126.20", "580", True),
        ("580.126.20", "580.126", True),
        ("580.126.20", "580.1", False),
        ("580.126.20", "58", False),
        ("580.126.09", "580.126.20", False),
    ],
)
def test_a_branch_is_no_prefix_of_text(version: str, wish: str, expected: bool) -> None:
    assert fits(version, wish) is expected


#: Repository × branch → modules and Fabric Manager, by name and version.
NAMES = [
    ("debian12", "550", "nvidia-kernel-open-dkms", "nvidia-fabricmanager-550", "550.163.01-1"),
    ("debian12", "580", "nvidia-kernel-open-dkms", "nvidia-fabricmanager-580", "580.126.20-1"),
    ("debian12", "610", "nvidia-kernel-open-dkms", "nvidia-fabricmanager-610", "610.43.02-1"),
    ("debian13", "580", "nvidia-kernel-open-dkms", "nvidia-fabricmanager", "580.126.20-1"),
    ("ubuntu2204", "570", "nvidia-dkms-570-open", "nvidia-fabricmanager-570", "570.211.01-1"),
    ("ubuntu2204", "580", "nvidia-dkms-580-open", "nvidia-fabricmanager", "580.126.20-1"),
    ("ubuntu2404", "590", "nvidia-dkms-open", "nvidia-fabricmanager", "590.48.01-1"),
    ("canonical2404", "580", "nvidia-dkms-580-server-open", "nvidia-fabricmanager-580", "580.126.20-0ubuntu0.24.04.1"),
]


@pytest.mark.parametrize(("folder", "branch", "modules", "fabric_manager", "version"), NAMES)
def test_names_are_those_of_repository_and_branch(
    folder: str, branch: str, modules: str, fabric_manager: str, version: str
) -> None:
    found = resolve(folder, H20, switches=4, version=branch)
    assert found["mistakes"] == []
    assert found["parts"]["modules"] == modules
    assert found["parts"]["fabric_manager"] == fabric_manager
    assert found["packages"][fabric_manager] == version


@pytest.mark.parametrize("folder", NAMINGS)
@pytest.mark.parametrize("branch", ["550", "570", "580", "590", "610"])
def test_driver_fabric_manager_and_nscq_are_equal_in_all_numbers(folder: str, branch: str) -> None:
    found = resolve(folder, H20, switches=4, version=branch)
    if found["mistakes"]:
        assert (folder, branch) == ("canonical2404", "570")
        return
    chosen = [found["packages"][found["parts"][part]] for part in ("modules", "compute", "fabric_manager", "nscq")]
    assert {upstream(one) for one in chosen} == {found["driver"]}


def test_a_branch_is_its_newest_version_that_has_fabric_manager() -> None:
    assert resolve("debian12", H20, switches=4, version="580")["driver"] == "580.126.20"
    assert resolve("debian12", H20, switches=0, version="580")["driver"] == "580.159.04"


def test_an_exact_version_without_its_fabric_manager_is_refused_with_what_there_is() -> None:
    (said,) = resolve("debian12", H20, switches=4, version="580.159.04")["mistakes"]
    assert "580.159.04 is there, but not its Fabric Manager of exactly that version" in said
    assert "580.126.20" in said


def test_a_version_that_no_repository_has_is_refused_with_what_there_is() -> None:
    found = resolve("debian12", ["1eb8"], version="580.1.2")
    assert found["mistakes"][0].startswith(
        "nvidia_driver_version: in https://repository.example.com/ there is no driver"
    )
    assert "610.43.02" in found["mistakes"][0]
    assert found["packages"] == {} and found["pins"] == ""


def test_an_empty_repository_offers_another_source() -> None:
    (said,) = lock(wishes(), node("1eb8"), {})["mistakes"]
    assert "give another nvidia_driver_source" in said


def test_an_empty_package_that_pulls_in_another_branch_is_no_fabric_manager() -> None:
    (said,) = resolve("canonical2404", H20, switches=4, version="570")["mistakes"]
    assert "Fabric Manager" in said


def test_packages_of_another_repository_do_not_count() -> None:
    there = candidates("debian12")
    stranger = {"version": "580.200.01-1", "repository": "https://elsewhere.example.com/", "transitional": False}
    for name in ("nvidia-kernel-open-dkms", "nvidia-driver-cuda"):
        there[name].append(stranger)
    assert lock(wishes(version="580"), node("1eb8"), there)["driver"] == "580.159.04"


@pytest.mark.parametrize(("wish", "said"), [("file:///srv/x/", "file:/srv/x"), ("https://x/y/", "https://x/y")])
def test_an_address_may_be_written_in_two_ways(wish: str, said: str) -> None:
    there = {
        name: [{**one, "repository": said} for one in versions] for name, versions in candidates("debian12").items()
    }
    assert lock(wishes(repository=wish), node("1eb8"), there)["mistakes"] == []


def test_what_is_installed_resolves_by_itself() -> None:
    installed = {
        "nvidia-kernel-open-dkms": [{"version": "580.126.20-1"}],
        "nvidia-driver-cuda": [{"version": "580.126.20-1"}],
    }
    assert lock(wishes(version="580"), node("1eb8"), installed)["driver"] == "580.126.20"
    assert lock(wishes(version="580"), node(*H20, switches=4), installed)["mistakes"]


def test_fabric_manager_only_where_it_is_needed() -> None:
    assert resolve("debian12", H20, switches=4)["parts"]["fabric_manager"]
    assert not resolve("debian12", ["1eb8"])["parts"]["fabric_manager"]
    assert resolve("debian12", ["1eb8"], fabric_manager="required")["parts"]["fabric_manager"]
    assert not resolve("debian12", H20, switches=4, fabric_manager="absent")["parts"]["fabric_manager"]


def test_the_subnet_manager_of_nvlink_5_counts_its_versions_by_itself() -> None:
    found = resolve("debian13", B200)
    assert (found["packages"]["nvlsm"], found["parts"]["nvlsm"]) == ("2025.06.6-1", "nvlsm")
    there = {name: versions for name, versions in candidates("debian13").items() if name != "nvlsm"}
    assert "NVLSM" in lock(wishes(), node(*B200), there)["mistakes"][0]


def test_a_rack_needs_imex_and_no_fabric_manager() -> None:
    found = resolve("debian13", ["2941"] * 4)
    assert (found["parts"]["imex"], found["parts"]["fabric_manager"]) == ("nvidia-imex", "")


def test_nscq_may_be_missing_and_is_told() -> None:
    there = {name: versions for name, versions in candidates("debian13").items() if "nscq" not in name}
    found = lock(wishes(), node(*H20, switches=4), there)
    assert found["mistakes"] == [] and "NSCQ" in found["notes"][0]


def test_cuda_compat_comes_with_an_older_branch() -> None:
    found = resolve("debian12", ["20b2"], version="570", cuda_at_least="13.0", cuda_compat=True)
    assert found["packages"]["cuda-compat-13-0"] == "580.126.20-1"
    assert "Package: cuda-compat-13-0\nPin: version 580.126.20-1\n" in found["pins"]


@pytest.mark.parametrize(("version", "pinning"), [("580.126.20", "nvidia-driver-pinning-580.126.20")])
def test_the_pinning_package_of_the_version_comes_along(version: str, pinning: str) -> None:
    assert resolve("debian12", ["1eb8"], version=version)["parts"]["pinning"] == pinning
    there = {name: one for name, one in candidates("debian12").items() if name != pinning}
    assert lock(wishes(version=version), node("1eb8"), there)["parts"]["pinning"] == "nvidia-driver-pinning-580"


def test_a_card_without_a_row_is_told() -> None:
    found = resolve("debian12", ["ffff"])
    assert found["mistakes"] == [] and "ffff is unknown" in found["notes"][0]


def test_patterns_cover_every_name() -> None:
    asked = patterns(["nvidia_debian", "ubuntu_server"])
    assert {"nvidia-fabricmanager-*", "nvidia-dkms-*-server-open", "nvidia-driver-pinning-*", "nvlsm"} <= set(asked)
    assert not [one for one in asked if "{" in one]
