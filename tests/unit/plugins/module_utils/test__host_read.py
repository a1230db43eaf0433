# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _host_read
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from ansible_collections.gpufleet.inference.plugins.module_utils._host_read import read

DEBIAN = "ID=debian\nVERSION_ID=12\n"
STATUS = (
    "Package: nvidia-open\nStatus: hold ok installed\nVersion: 580\n\n"
    "Package: vim\nStatus: install ok installed\nVersion: 9\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
)


def plant(root: pathlib.Path, files: dict[str, str]) -> None:
    for path, content in files.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def host(root: pathlib.Path, answers: dict[str, Outcome] | None = None, **more: t.Any) -> Host:
    """Return a host whose commands answer as given, by the name of the program; others are not installed."""

    def run(argv: list[str], timeout_seconds: float = 10.0) -> Outcome:
        return (answers or {}).get(argv[0], Outcome(None, "", "", f"{argv[0]} is not installed"))

    return Host(root=str(root), run=run, sleep=lambda seconds: None, **more)


def said(stdout: str, rc: int = 0) -> Outcome:
    return Outcome(rc, stdout, "", "" if rc == 0 else f"returned {rc}")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.core.somaxconn", "/proc/sys/net/core/somaxconn"),
        ("net/ipv4/conf/eth0.100/rp_filter", "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
        ("net.ipv4.conf.eth0/100.rp_filter", "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
    ],
)
def test_sysctl_path(key: str, path: str) -> None:
    assert _host_read.sysctl_path(key) == path


def test_sysctl(tmp_path: pathlib.Path) -> None:
    plant(tmp_path, {"/proc/sys/net/ipv4/tcp_rmem": "4096\t131072\t6291456\n"})
    readings = read(host(tmp_path), {"sysctl": {"net.ipv4.tcp_rmem": "", "vm.nothing": 1}})
    assert readings["sysctl"] == {"net.ipv4.tcp_rmem": "4096 131072 6291456", "vm.nothing": None}


@pytest.mark.parametrize(
    ("key", "name", "files", "value"),
    [
        ("thp", "thp", {"/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n"}, "madvise"),
        ("thp", "thp", {}, None),
        ("numa_balancing", "numa_balancing", {"/proc/sys/kernel/numa_balancing": "1\n"}, "1"),
        ("numa_balancing", "numa_balancing", {}, None),
        (
            "governor",
            "governors",
            {
                "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
                "/sys/devices/system/cpu/cpu10/cpufreq/scaling_governor": "powersave\n",
                "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "other\n",
            },
            {"performance": 1, "powersave": 1},
        ),
        ("governor", "governors", {}, {}),
        ("iommu", "iommu_groups", {"/sys/kernel/iommu_groups/0/type": "identity\n"}, {"identity": 1}),
        (
            "clock_source",
            "clock_source",
            {"/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n"},
            "tsc",
        ),
        ("shm_gib", "shm_gib", {}, None),
        ("memory_gib", "memory_gib", {"/proc/meminfo": "MemTotal:       2097152 kB\nMemFree: 1 kB\n"}, 2.0),
        ("memory_gib", "memory_gib", {}, None),
    ],
)
def test_small_files(tmp_path: pathlib.Path, key: str, name: str, files: dict[str, str], value: t.Any) -> None:
    plant(tmp_path, files)
    assert read(host(tmp_path), {key: "x"})[name] == value


@pytest.mark.parametrize(
    ("shown", "daemons"),
    [
        ("Id=chrony.service\nActiveState=active\n\nId=chrony.service\nActiveState=active\n", ["chrony.service"]),
        (
            "Id=ntp.service\nActiveState=active\n\nId=chrony.service\nActiveState=active\n",
            ["chrony.service", "ntp.service"],
        ),
        ("Id=ntp.service\nActiveState=inactive\n", []),
    ],
)
def test_time_sync(tmp_path: pathlib.Path, shown: str, daemons: list[str]) -> None:
    asked = host(tmp_path, {"systemctl": said(shown)}, clock=lambda: True)
    assert read(asked, {"time_sync": True})["time_sync"] == {"synchronised": True, "daemons": daemons}


SWAPS = "Filename Type Size Used Priority\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, {"active": None, "masked": False, "in_fstab": False}),
        ({"/proc/swaps": SWAPS}, {"active": [], "masked": False, "in_fstab": False}),
        (
            {"/proc/swaps": f"{SWAPS}/dev/sda2 partition 1 0 -2\n", "/etc/fstab": "/dev/sda2 none swap sw 0 0\n"},
            {"active": ["/dev/sda2"], "masked": False, "in_fstab": True},
        ),
        (
            {"/proc/swaps": SWAPS, "/etc/fstab": "#/dev/sda2 none swap sw 0 0\n/dev/sda1 / ext4\n"},
            {"active": [], "masked": False, "in_fstab": False},
        ),
    ],
)
def test_swap(tmp_path: pathlib.Path, files: dict[str, str], expected: dict[str, t.Any]) -> None:
    plant(tmp_path, files)
    assert read(host(tmp_path), {"swap": "off"})["swap"] == expected


def test_a_masked_swap_target_is_seen(tmp_path: pathlib.Path) -> None:
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    (units / "swap.target").symlink_to("/dev/null")
    assert read(host(tmp_path), {"swap": "off"})["swap"]["masked"] is True


@pytest.mark.parametrize(
    ("answers", "blacklist"),
    [
        (
            {
                "apt-config": said(
                    'Unattended-Upgrade::Package-Blacklist "";\nUnattended-Upgrade::Package-Blacklist:: "^nvidia-.*$";\n'
                )
            },
            ["^nvidia-.*$"],
        ),
        ({"apt-config": said("")}, []),
        ({}, None),
    ],
)
def test_packages(tmp_path: pathlib.Path, answers: dict[str, Outcome], blacklist: list[str] | None) -> None:
    plant(tmp_path, {"/etc/os-release": DEBIAN, "/var/lib/dpkg/status": STATUS})
    assert read(host(tmp_path, answers), {"packages_held": []})["packages"] == {
        "manager": "apt",
        "installed": ["nvidia-open", "vim"],
        "held": ["nvidia-open"],
        "blacklist": blacklist,
    }


APT = "Inst vim [9] (10 Debian:12 [amd64])\nRemv old [1]\nConf vim (10 Debian:12 [amd64])\n"
DNF = "\nkernel.x86_64    5.14.0-600.el9   baseos\nlibx.so.i686  1-1  repo\nObsoleting Packages\na.noarch 1 r\n"
LISTS = {"/var/lib/apt/lists/deb_dists_bookworm_main_binary-amd64_Packages": "x"}


@pytest.mark.parametrize(
    ("release", "files", "answers", "installed", "removed", "problem"),
    [
        (DEBIAN, LISTS, {"apt-get": said(APT)}, ["vim"], ["old"], ""),
        (DEBIAN, {}, {"apt-get": said("")}, [], [], "no package lists"),
        (DEBIAN, LISTS, {"apt-get": said("", 100)}, [], [], "returned 100"),
        ("ID=rocky\nVERSION_ID=9.4\nID_LIKE=rhel\n", {}, {"dnf": said(DNF, 100)}, ["kernel", "libx.so"], [], ""),
        ("ID=rocky\nVERSION_ID=9.4\nID_LIKE=rhel\n", {}, {"dnf": said("", 1)}, [], [], "returned 1"),
    ],
)
def test_upgrade(
    tmp_path: pathlib.Path,
    release: str,
    files: dict[str, str],
    answers: dict[str, Outcome],
    installed: list[str],
    removed: list[str],
    problem: str,
) -> None:
    plant(tmp_path, {"/etc/os-release": release, **files})
    seen = read(host(tmp_path, answers), {"upgrade_simulation": ["x"]})["upgrade"]
    assert (seen["installed"], seen["removed"]) == (installed, removed)
    assert problem in seen["problem"]
    assert bool(problem) == bool(seen["problem"])


def process(pid: int, name: str, state: str, switches: int = 3) -> dict[str, str]:
    fields = " ".join(str(number) for number in range(4, 53))
    return {
        f"/proc/{pid}/stat": f"{pid} ({name}) {state} {fields}",
        f"/proc/{pid}/status": f"voluntary_ctxt_switches:\t{switches}\nnonvoluntary_ctxt_switches:\t0\n",
    }


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ({}, {"D": ["a) (b (7)"], "Z": ["gone (9)"]}),
        (process(7, "a) (b", "D", switches=4), {"D": [], "Z": ["gone (9)"]}),
        (process(7, "a) (b", "S"), {"D": [], "Z": ["gone (9)"]}),
    ],
)
def test_stuck_is_who_stays_without_running(
    tmp_path: pathlib.Path, later: dict[str, str], expected: dict[str, list[str]]
) -> None:
    plant(tmp_path, {**process(7, "a) (b", "D"), **process(8, "busy", "R"), **process(9, "gone", "Z")})
    looked = Host(root=str(tmp_path), sleep=lambda seconds: plant(tmp_path, later))
    assert read(looked, {"stuck_processes": 0, "zombies": 0})["stuck"] == expected


def test_disk(tmp_path: pathlib.Path) -> None:
    free = read(host(tmp_path), {"disk_free_gib": {"/": 1, "/nothing": 1}})["disk_free_gib"]
    assert free["/"] > 0
    assert free["/nothing"] is None
