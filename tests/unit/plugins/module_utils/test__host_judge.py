# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._host_judge import JUDGES, judge, mistakes
from ansible_collections.gpufleet.inference.plugins.module_utils._host_read import READERS

LOW, HIGH = ("1024", "20000"), ("1048576", "1048576")


def limits(services: t.Any, logins: t.Any = HIGH, ceiling: t.Any = HIGH) -> dict[str, t.Any]:
    def read(pair: t.Any) -> dict[str, t.Any]:
        return {"limits": {"nofile": pair, "memlock": pair} if pair else {}, "problem": "" if pair else "no\nbus"}

    return {"limits": {"services": read(services), "logins": read(logins), "ceiling": {"nofile": ceiling}}}


def packages(**more: t.Any) -> dict[str, t.Any]:
    read = {
        "manager": "apt",
        "installed": ["nvidia-open", "vim"],
        "held": ["nvidia-open"],
        "blacklist": ["^nvidia-.*$"],
    }
    return {"packages": {**read, **more}}


def upgrade(**more: t.Any) -> dict[str, t.Any]:
    return {"upgrade": {"installed": ["vim"], "removed": [], "problem": "", **more}}


def swap(**more: t.Any) -> dict[str, t.Any]:
    return {"swap": {"active": [], "masked": False, "in_fstab": False, **more}}


def clock(synchronised: bool | None, *daemons: str) -> dict[str, t.Any]:
    return {"time_sync": {"synchronised": synchronised, "daemons": list(daemons)}}


def running(soft: str | None, ipc_lock: bool = False) -> dict[str, t.Any]:
    limits = {"memlock": (soft, "unlimited"), "nofile": (soft, "unlimited")} if soft else {}
    return {"running": {"*vllm*": [{"pid": 7, "name": "vllm", "limits": limits, "ipc_lock": ipc_lock}]}}


MEMLOCK, NOFILE = {"*vllm*": {"memlock": "unlimited"}}, {"*vllm*": {"nofile": 65536}}
DOCKER = {"container": "docker"}
SOMAXCONN, ZONE = "net.core.somaxconn", "vm.zone_reclaim_mode"

CASES: list[tuple[str, t.Any, dict[str, t.Any], list[str]]] = [
    ("sysctl", {SOMAXCONN: 65535}, {"sysctl": {SOMAXCONN: "65535"}}, ["pass"]),
    ("sysctl", {SOMAXCONN: 65535}, {"sysctl": {SOMAXCONN: "4096"}}, ["fail"]),
    ("sysctl", {SOMAXCONN: 65535}, {"sysctl": {SOMAXCONN: "4096"}, **DOCKER}, ["fail"]),
    ("sysctl", {SOMAXCONN: 65535}, {"sysctl": {SOMAXCONN: None}}, ["not_verified"]),
    ("sysctl", {SOMAXCONN: 65535}, {"sysctl": {SOMAXCONN: None}, **DOCKER}, ["not_verified"]),
    ("sysctl", {ZONE: 1}, {"sysctl": {ZONE: "0"}}, ["fail"]),
    ("sysctl", {ZONE: 1}, {"sysctl": {ZONE: "0"}, **DOCKER}, ["not_verified"]),
    ("sysctl", {ZONE: 1}, {"sysctl": {ZONE: "1"}, **DOCKER}, ["pass"]),
    ("sysctl", {"net.ipv4.tcp_rmem": "4  5\t6"}, {"sysctl": {"net.ipv4.tcp_rmem": "4 5 6"}}, ["pass"]),
    ("nofile", 65536, limits(HIGH), ["pass", "pass"]),
    ("nofile", 65536, limits(LOW), ["warn", "pass"]),
    ("nofile", 65536, limits(HIGH, LOW), ["pass", "warn"]),
    ("nofile", 65536, limits(None, None), ["not_verified", "not_verified"]),
    ("nofile", 65536, {**limits(("20000", "20000"), LOW, LOW), **DOCKER}, ["not_verified", "not_verified"]),
    ("nofile", 65536, {**limits(LOW, HIGH, LOW), **DOCKER}, ["warn", "pass"]),
    ("memlock", "unlimited", limits(("unlimited", "unlimited")), ["pass", "fail"]),
    ("memlock", "unlimited", limits(LOW, ("unlimited", "unlimited")), ["fail", "pass"]),
    ("memlock", 1000, limits(LOW, ("unlimited", "unlimited")), ["pass", "pass"]),
    ("memlock", "unlimited", limits(None, None), ["not_verified", "not_verified"]),
    ("limits_of", MEMLOCK, running("unlimited"), ["pass"]),
    ("limits_of", MEMLOCK, running("65536"), ["fail"]),
    ("limits_of", MEMLOCK, running("65536", ipc_lock=True), ["pass"]),
    ("limits_of", MEMLOCK, running(None), ["not_verified"]),
    ("limits_of", MEMLOCK, {"running": {"*vllm*": []}}, ["not_verified"]),
    ("limits_of", NOFILE, running("1048576"), ["pass"]),
    ("limits_of", NOFILE, running("1024", ipc_lock=True), ["warn"]),
    ("limits_of", {"*vllm*": {**MEMLOCK["*vllm*"], **NOFILE["*vllm*"]}}, running("1024"), ["fail", "warn"]),
    ("thp", "madvise", {"thp": "madvise"}, ["pass"]),
    ("thp", "madvise", {"thp": "never"}, ["warn"]),
    ("thp", "madvise", {"thp": "never", **DOCKER}, ["not_verified"]),
    ("thp", "madvise", {"thp": None}, ["not_verified"]),
    ("numa_balancing", 0, {"numa_balancing": "0"}, ["pass"]),
    ("numa_balancing", 0, {"numa_balancing": "1"}, ["warn"]),
    ("numa_balancing", 0, {"numa_balancing": None}, ["not_verified"]),
    ("governor", "performance", {"governors": {"performance": 64}}, ["pass"]),
    ("governor", "performance", {"governors": {"performance": 63, "powersave": 1}}, ["warn"]),
    ("governor", "performance", {"governors": {}}, ["not_verified"]),
    ("iommu", "pt", {"iommu_groups": {"identity": 9}}, ["pass"]),
    ("iommu", "pt", {"iommu_groups": {}}, ["pass"]),
    ("iommu", "off", {"iommu_groups": {}}, ["pass"]),
    ("iommu", "off", {"iommu_groups": {"identity": 9}}, ["warn"]),
    ("iommu", "pt", {"iommu_groups": {"DMA": 8, "identity": 1}}, ["warn"]),
    ("clock_source", "tsc", {"clock_source": "tsc"}, ["pass"]),
    ("clock_source", "tsc", {"clock_source": "hpet"}, ["warn"]),
    ("clock_source", "tsc", {"clock_source": None}, ["not_verified"]),
    ("time_sync", True, clock(True, "chrony.service"), ["pass"]),
    ("time_sync", True, clock(False), ["warn"]),
    ("time_sync", True, clock(True, "chrony.service", "ntp.service"), ["warn"]),
    ("time_sync", True, {**clock(False), **DOCKER}, ["not_verified"]),
    ("time_sync", True, clock(None), ["not_verified"]),
    ("time_sync", False, clock(False), []),
    ("swap", "off", swap(), ["pass"]),
    ("swap", "off", swap(active=["/dev/sda2"]), ["warn"]),
    ("swap", "off", swap(in_fstab=True), ["warn"]),
    ("swap", "off", swap(in_fstab=True, masked=True), ["pass"]),
    ("swap", "off", {**swap(active=["/dev/sda2"]), **DOCKER}, ["not_verified"]),
    ("swap", "off", swap(active=None), ["not_verified"]),
    ("swap", "keep", swap(active=["/dev/sda2"]), []),
    ("packages_held", ["nvidia-*"], packages(), ["pass", "pass"]),
    ("packages_held", ["nvidia-*"], packages(held=[]), ["fail", "pass"]),
    ("packages_held", ["nvidia-*"], packages(installed=[]), ["not_verified", "pass"]),
    ("packages_held", ["nvidia-*"], packages(blacklist=[]), ["pass", "fail"]),
    ("packages_held", ["nvidia-*"], packages(blacklist=["^nvidia-open$"]), ["pass", "fail"]),
    ("packages_held", ["nvidia-*"], packages(blacklist=None), ["pass", "not_verified"]),
    ("packages_held", ["nvidia-*"], packages(manager="dnf"), ["pass"]),
    ("upgrade_simulation", ["nvidia-*"], upgrade(), ["pass"]),
    ("upgrade_simulation", ["nvidia-*"], upgrade(installed=["nvidia-open"]), ["fail"]),
    ("upgrade_simulation", ["nvidia-*"], upgrade(removed=["nvidia-open"]), ["fail"]),
    ("upgrade_simulation", ["nvidia-*"], upgrade(removed=["vim"]), ["warn"]),
    ("upgrade_simulation", ["nvidia-*"], upgrade(problem="no lists"), ["not_verified"]),
    ("upgrade_simulation", [], {"upgrade": None}, []),
    ("stuck_processes", 0, {"stuck": {"D": [], "Z": ["a (1)"]}}, ["pass"]),
    ("stuck_processes", 0, {"stuck": {"D": ["dd (7)"], "Z": []}}, ["warn"]),
    ("zombies", 1, {"stuck": {"D": [], "Z": ["a (1)"]}}, ["pass"]),
    ("zombies", 0, {"stuck": {"D": [], "Z": ["a (1)"]}}, ["warn"]),
    ("disk_free_gib", {"/": 10}, {"disk_free_gib": {"/": 10.0}}, ["pass"]),
    ("disk_free_gib", {"/": 10}, {"disk_free_gib": {"/": 9.9}}, ["fail"]),
    ("disk_free_gib", {"/x": 10}, {"disk_free_gib": {"/x": None}}, ["not_verified"]),
    ("shm_gib", 1, {"shm_gib": 1.0}, ["pass"]),
    ("shm_gib", 1, {"shm_gib": 0.1}, ["warn"]),
    ("shm_gib", 1, {"shm_gib": None}, ["not_verified"]),
    ("memory_gib", 2000, {"memory_gib": 2015.6}, ["pass"]),
    ("memory_gib", 2000, {"memory_gib": 1951.1}, ["fail"]),
    ("memory_gib", 2000, {"memory_gib": None}, ["not_verified"]),
]


@pytest.mark.parametrize(("key", "wanted", "readings", "verdicts"), CASES)
def test_verdicts(key: str, wanted: t.Any, readings: dict[str, t.Any], verdicts: list[str]) -> None:
    checks = judge({"container": "", **readings}, {key: wanted})
    assert [one["verdict"] for one in checks] == verdicts
    for one in checks:
        assert one["source"]
        assert one["verdict"] == "pass" or one["remedy"] or one["name"] == "packages held", "a remedy says what to do"


def test_every_check_passes_and_does_not_pass_in_some_case() -> None:
    for key in JUDGES:
        verdicts = {verdict for name, _wanted, _readings, found in CASES if name == key for verdict in found}
        assert "pass" in verdicts and verdicts - {"pass"}, key


def test_readers_and_judges_know_the_same_keys() -> None:
    assert set(READERS) == set(JUDGES)


@pytest.mark.parametrize(
    ("readings", "key", "wanted", "said"),
    [
        (limits(None), "nofile", 1, "no bus"),
        ({**limits(("20000", "20000"), HIGH, LOW), **DOCKER}, "nofile", 65536, "ceiling of this container"),
        ({"sysctl": {ZONE: None}, **DOCKER}, "sysctl", {ZONE: 1}, "does not exist in this docker container"),
        ({"sysctl": {ZONE: "0"}, **DOCKER}, "sysctl", {ZONE: 1}, "belongs to the machine"),
        (swap(in_fstab=True), "swap", "off", "on again after a reboot"),
        (packages(held=[]), "packages_held", ["nvidia-*"], "not held: nvidia-open"),
        (running("1024"), "limits_of", NOFILE, "1024 in vllm (7)"),
        (running("1024", ipc_lock=True), "limits_of", MEMLOCK, "enough in 1, 1 of them by CAP_IPC_LOCK"),
        ({"governors": {"a": 1, "b": 2}}, "governor", "a", "a (1), b (2)"),
    ],
)
def test_the_reason_is_told(readings: dict[str, t.Any], key: str, wanted: t.Any, said: str) -> None:
    assert said in str(judge({"container": "", **readings}, {key: wanted})[0]["observed"])


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({"thp": "never", "limits_of": MEMLOCK}, []),
        ({"sysctls": {}}, ["unknown sysctls. Known are sysctl, nofile,"]),
        ({"limits_of": {"*": {"stack": 1}}}, ["limits_of: *: unknown stack. Known are memlock, nofile."]),
    ],
)
def test_mistakes(expect: dict[str, t.Any], said: list[str]) -> None:
    found = mistakes(expect)
    assert len(found) == len(said)
    assert all(one.startswith(start) for one, start in zip(found, said, strict=True))
