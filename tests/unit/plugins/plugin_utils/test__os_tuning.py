# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._os_tuning import mistakes, plan, repairs

DAEMONS = {"systemd-timesyncd": "systemd-timesyncd.service", "chrony": "chrony.service"}
RUNNING = {"load": "loaded", "active": "active", "sub": "running", "enabled": "enabled"}


def node(**more: t.Any) -> dict[str, t.Any]:
    return {
        "virtualization": "none",
        "package_manager": "apt",
        "packages": {"procps": "4", "linux-image-amd64": "6.1.1", "linux-image-6.1.0-1-amd64": "6.1.1", "vim": "9"},
        "held_packages": [],
        "units": {},
        **more,
    }


def wishes(**more: t.Any) -> dict[str, t.Any]:
    return {
        "state": "present",
        "sysctl": {"net.core.somaxconn": 65535, "vm.zone_reclaim_mode": 1},
        "nofile": 1048576,
        "memlock_unlimited": True,
        "thp": "madvise",
        "numa_balancing_enabled": False,
        "cpu_governor": "performance",
        "time_sync": "systemd-timesyncd",
        "time_daemons": DAEMONS,
        "swap": "keep",
        "packages": ["procps"],
        "held_packages": ["linux-image-*", "nvidia-*"],
        **more,
    }


def test_good_wishes_have_no_mistakes() -> None:
    assert mistakes(wishes()) == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"sysctl": {"somaxconn": 1}}, "os_tuning_sysctl"),
        ({"sysctl": {"net.core.somaxconn": True}}, "net.core.somaxconn"),
        ({"sysctl": {"net.core.somaxconn": "1\nvm.x = 2"}}, "one line"),
        ({"sysctl": {"net.core.somaxconn": None}}, "number"),
        ({"nofile": 1048577}, "os_tuning_nofile"),
        ({"nofile": 10}, "os_tuning_nofile"),
        ({"sysctl": {"fs.nr_open": 2000}, "nofile": 2001}, "between 1024 and 2000"),
        ({"time_sync": "ntpd"}, "write chrony, systemd-timesyncd, keep"),
        ({"held_packages": ["*"]}, "os_tuning_held_packages"),
        ({"held_packages": ["linux image"]}, "os_tuning_held_packages"),
    ],
)
def test_a_mistake_names_its_variable(wrong: dict[str, t.Any], named: str) -> None:
    found = mistakes(wishes(**wrong))
    assert len(found) == 1
    assert named in found[0]


def test_all_mistakes_are_told_at_once() -> None:
    assert len(mistakes(wishes(nofile=1, time_sync="x", held_packages=["*"], sysctl={"a": 1}))) == 4


def test_the_kernel_is_not_trusted_to_allow_more_in_time() -> None:
    # Between writing the limits and setting the key every login would be refused.
    assert len(mistakes(wishes(nofile=2097152, sysctl={"fs.nr_open": 2097152}))) == 1


def test_bare_metal_gets_everything() -> None:
    made = plan(node(), wishes())
    assert set(made["files"].values()) == {"present"}
    assert made["left_out"] == {}
    assert made["sysctl"] == {
        "net.core.somaxconn": "65535",
        "vm.zone_reclaim_mode": "1",
        "kernel.numa_balancing": "0",
    }
    assert made["settings"] == {
        "/sys/kernel/mm/transparent_hugepage/enabled": "madvise",
        "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor": "performance",
    }


@pytest.mark.parametrize("kind", ["docker", "podman", "lxc", "systemd-nspawn", "wsl"])
def test_a_container_writes_nothing_of_the_machine(kind: str) -> None:
    made = plan(node(virtualization=kind), wishes())
    assert made["sysctl"] == {"net.core.somaxconn": "65535"}
    assert set(made["left_out"]) == {"vm.zone_reclaim_mode", "kernel.numa_balancing"}
    assert made["settings"] == {}
    assert made["time_service"] == ""
    assert (made["files"]["limits"], made["files"]["settings"]) == ("absent", "absent")
    assert made["expect"]["sysctl"]["vm.zone_reclaim_mode"] == "1", "the proof is still asked for it"


def test_a_virtual_machine_is_a_machine() -> None:
    assert plan(node(virtualization="kvm"), wishes())["container"] is False


@pytest.mark.parametrize(
    ("installed", "units", "wish", "packages", "service"),
    [
        ([], {}, "systemd-timesyncd", ["systemd-timesyncd"], "systemd-timesyncd.service"),
        (["chrony"], {}, "systemd-timesyncd", [], "chrony.service"),
        (["chrony"], {"chrony.service": RUNNING}, "systemd-timesyncd", [], ""),
        (["chrony"], {"chrony.service": dict(RUNNING, enabled="disabled")}, "chrony", [], "chrony.service"),
        (["chrony", "systemd-timesyncd"], {}, "systemd-timesyncd", [], "systemd-timesyncd.service"),
        ([], {}, "keep", [], ""),
    ],
)
def test_one_time_daemon(
    installed: list[str], units: dict[str, t.Any], wish: str, packages: list[str], service: str
) -> None:
    made = plan(node(packages=dict.fromkeys(["procps", *installed], "1"), units=units), wishes(time_sync=wish))
    assert (made["packages"], made["time_service"]) == (packages, service)


def test_holds_and_pins_are_those_of_installed_packages() -> None:
    made = plan(node(held_packages=["linux-image-amd64"]), wishes())
    assert made["hold"] == ["linux-image-6.1.0-1-amd64"]
    assert made["pins"] == {"linux-image-6.1.0-1-amd64": "6.1.1", "linux-image-amd64": "6.1.1"}
    assert made["unhold"] == []


def test_absent_releases_only_what_matches() -> None:
    made = plan(node(held_packages=["linux-image-amd64", "vim"]), wishes(state="absent"))
    assert set(made["files"].values()) == {"absent"}
    assert (made["hold"], made["unhold"]) == ([], ["linux-image-amd64"])
    assert (made["packages"], made["time_service"], made["expect"]) == ([], "", {})


def test_no_patterns_hold_nothing() -> None:
    made = plan(node(), wishes(held_packages=[]))
    assert (made["hold"], made["pins"], made["files"]["apt"]) == ([], {}, "absent")


def test_apt_files_are_for_apt_only() -> None:
    assert plan(node(package_manager="dnf"), wishes())["files"]["apt"] == "absent"


def test_the_blacklist_is_anchored_at_both_ends() -> None:
    made = plan(node(), wishes(held_packages=["linux-image-*", "libcuda1", "a.b?"]))
    assert made["blacklist"] == ["^linux-image-.*$", "^libcuda1$", r"^a\.b.$"]


@pytest.mark.parametrize(
    ("wish", "key", "value"),
    [
        ({}, "memlock", "unlimited"),
        ({"memlock_unlimited": False}, "memlock", None),
        ({"thp": "keep"}, "thp", None),
        ({"cpu_governor": "keep"}, "governor", None),
        ({"time_sync": "keep"}, "time_sync", None),
        ({}, "swap", None),
        ({"swap": "off"}, "swap", "off"),
        ({"swap": False}, "swap", "off"),
        ({"numa_balancing_enabled": True}, "numa_balancing", 1),
    ],
)
def test_what_is_left_alone_is_not_expected(wish: dict[str, t.Any], key: str, value: t.Any) -> None:
    assert plan(node(), wishes(**wish))["expect"].get(key) == value


def test_nothing_is_written_to_sys_when_all_is_kept() -> None:
    made = plan(node(), wishes(thp="keep", cpu_governor="keep"))
    assert (made["settings"], made["files"]["settings"]) == ({}, "absent")


@pytest.mark.parametrize(
    ("name", "verdict", "expected"),
    [
        ("sysctl net.core.somaxconn", "fail", ["sysctl"]),
        ("sysctl net.core.somaxconn", "pass", []),
        ("sysctl vm.zone_reclaim_mode", "not_verified", []),
        ("NUMA balancing", "warn", ["sysctl"]),
        ("nofile of services", "warn", ["limits"]),
        ("nofile of logins", "warn", []),
        ("memlock of services", "fail", ["limits"]),
        ("transparent huge pages", "warn", ["settings"]),
        ("CPU governor", "warn", ["settings"]),
        ("swap", "warn", ["swap"]),
        ("time sync", "warn", []),
    ],
)
def test_a_missing_effect_is_repaired(name: str, verdict: str, expected: list[str]) -> None:
    assert repairs([{"name": name, "verdict": verdict}], []) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/sysctl.d/99-zz-gpufleet.conf", ["sysctl"]),
        ("/etc/systemd/system.conf.d/99-gpufleet.conf", ["limits"]),
        ("/etc/tmpfiles.d/gpufleet-os-tuning.conf", ["settings"]),
        ("/etc/apt/preferences.d/99-gpufleet-hold.pref", []),
    ],
)
def test_a_changed_file_is_carried_out(path: str, expected: list[str]) -> None:
    assert repairs([], [path]) == expected
