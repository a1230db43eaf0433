# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault of an RDMA node is found as its scenario says, healthy nodes raise no alarm, every check has its faults."""

from __future__ import annotations

import functools
import os
import pathlib
import tempfile
import typing as t

import pytest
import yaml

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge import (
    JUDGES,
    Judgement,
    judge_rdma,
    make_node,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_read import read
from tests.fakes.rdma.tree import make_host

Data = dict[str, t.Any]

SICK: list[Data] = yaml.safe_load((pathlib.Path(__file__).parent / "scenarios.yml").read_text(encoding="utf-8"))
ROLE = pathlib.Path(__file__).parents[3] / "roles" / "rdma"
KEYS = {"name", "profile", "change", "expect", "verdicts", "says", "rest", "interval_seconds"}
#: Trees of small files are made and read fastest in memory.
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

_INFINIBAND = {"rate_gbps": 400, "link_layer": "InfiniBand", "gdr": "any"}
#: What the healthy node of a profile is expected to be.
EXPECT: dict[str, Data] = {
    "h100x8": {"hcas": 8, **_INFINIBAND},
    "named": {"hcas": 8, **_INFINIBAND},
    "h20x8": {"hcas": 4, "storage_hcas": 2, **_INFINIBAND},
    "roce": {
        "hcas": 8,
        "rate_gbps": 400,
        "link_layer": "Ethernet",
        "gdr": "any",
        "roce_trust": "dscp",
        "roce_pfc_priorities": [3],
    },
    "vfs": {"hcas": 2, **_INFINIBAND},
    "guest": {"hcas": 2, **_INFINIBAND},
    "rxe": {"hcas": ["rxe0"], "rate_gbps": 2.5},
}
#: A guest is healthy when its host shows it what matters.
HEALTHY: dict[str, Data] = {name: {} for name in EXPECT} | {
    "guest": {
        "config": {"0000:00:05.0": {"ats": True}, "0000:00:06.0": {"ats": True}},
        "files": {"/var/run/nvidia-topologyd/virtualTopology.xml": ""},
    }
}
#: What soft-RoCE does not have, so that nobody can look at it.
UNKNOWN = {"rxe": {"HCA type", "HCA board", "HCA firmware", "error counters"}}
#: Checks that find their answer wherever there is an HCA, so that only its absence keeps them from looking.
ANSWERED_WHERE_THERE_IS_AN_HCA = {"character devices", "kernel modules", "kernel modules at boot"}


def judge(profile: str, change: Data, expect: Data, interval_seconds: float = 2) -> Judgement:
    with tempfile.TemporaryDirectory(prefix="gpufleet-rdma-", dir=SCRATCH) as root:
        host = make_host(root, profile, **change)
        return judge_rdma(make_node(read(host, interval_seconds), expect))


@functools.cache
def healthy(profile: str) -> Judgement:
    return judge(profile, HEALTHY[profile], EXPECT[profile])


@pytest.mark.parametrize("one", SICK, ids=lambda one: one["name"])
def test_fault_is_found(one: Data) -> None:
    assert set(one) <= KEYS
    profile = one.get("profile", "h100x8")
    expect = {**EXPECT.get(profile, {}), **one.get("expect", {})}
    result = judge(profile, one.get("change", {}), expect, one.get("interval_seconds", 2))
    checks = {check["name"]: check for check in result.checks}
    assert {name: checks[name]["verdict"] for name in one["verdicts"]} == one["verdicts"]
    rest = [check for name, check in checks.items() if name not in one["verdicts"]]
    assert not [check for check in rest if check["verdict"] not in ("pass", one.get("rest", "pass"))]
    for name, text in one.get("says", {}).items():
        assert text in f"{checks[name]['observed']} {checks[name]['remedy']}"
    assert all(check["remedy"] for check in result.checks if check["verdict"] in ("warn", "fail"))


@pytest.mark.parametrize("profile", EXPECT)
def test_healthy_nodes_raise_no_alarm(profile: str) -> None:
    result = healthy(profile)
    other = {check["name"]: check["verdict"] for check in result.checks if check["verdict"] != "pass"}
    assert other == dict.fromkeys(UNKNOWN.get(profile, ()), "not_verified")
    assert len(result.checks) + len(result.not_applicable) == len(JUDGES)


@pytest.mark.parametrize("name", JUDGES)
def test_every_check_has_a_fault(name: str) -> None:
    assert any(one["verdicts"].get(name) in ("warn", "fail") for one in SICK)


@pytest.mark.parametrize("name", JUDGES)
def test_every_check_can_fail_to_look(name: str) -> None:
    looked = [one for one in SICK if one["verdicts"].get(name) == "not_verified"]
    profiles = {one.get("profile", "h100x8") for one in looked}
    assert (profiles == {"none"}) == (name in ANSWERED_WHERE_THERE_IS_AN_HCA) and looked


@pytest.mark.parametrize("name", JUDGES)
def test_every_check_passes_somewhere(name: str) -> None:
    passed = [check["name"] for profile in EXPECT for check in healthy(profile).checks if check["verdict"] == "pass"]
    assert name in passed


def test_nothing_passes_without_an_hca() -> None:
    for expect in ({"hcas": 4}, {"hcas": ["mlx5_0"]}, {}):
        result = judge("none", {}, expect)
        assert not [check["name"] for check in result.checks if check["verdict"] == "pass"]


def test_a_node_that_needs_none_is_right() -> None:
    result = judge("none", {}, {"hcas": 0})
    assert [(check["name"], check["verdict"]) for check in result.checks] == [("RDMA devices", "pass")]
    assert set(result.not_applicable) == set(JUDGES) - {"RDMA devices"}


def test_a_fresh_host_can_be_prepared() -> None:
    """Ubuntu's 64 KiB of pinned memory is os_tuning's to raise, which comes after this role."""
    tasks = yaml.safe_load((ROLE / "tasks" / "change.yml").read_text(encoding="utf-8"))
    not_yet = next(one["vars"]["__rdma_not_yet"] for one in tasks if one["name"] == "change | Prove")
    fresh = {"memlock": "65536"}
    alarms = {one["name"] for one in judge("h20x8", fresh, EXPECT["h20x8"]).checks if one["verdict"] == "fail"}
    assert alarms == {"memlock of services", "memlock of logins"}
    result = judge("h20x8", fresh, {**EXPECT["h20x8"], **not_yet})
    assert {one["verdict"] for one in result.checks} == {"pass"}
