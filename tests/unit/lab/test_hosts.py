# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of lab hosts and the commands that make them."""

from __future__ import annotations

import ipaddress
import itertools

import jinja2
import pytest
import yaml

from tests.lab import hosts, paths, platforms
from tests.lab.shell import LabError


@pytest.mark.parametrize(
    ("name", "platform", "address"),
    [
        ("lab1", "bookworm", "10.77.0.11"),
        ("lab8", "bookworm", "10.77.0.18"),
        ("mol-bookworm", "bookworm", "10.77.0.21"),
        ("mol-trixie", "trixie", "10.77.0.22"),
        ("mol-bookworm-b", "bookworm", "10.77.0.31"),
        ("mol-trixie-b", "trixie", "10.77.0.32"),
    ],
)
def test_hosts_have_fixed_addresses(name: str, platform: str, address: str) -> None:
    host = platforms.HOSTS[name]
    assert (host.platform, host.address, host.volume) == (platform, address, f"gpufleet-lab-{name}")


@pytest.mark.parametrize(
    ("lane", "name", "address"),
    [("", "mol-trixie", "10.77.0.22"), ("b", "mol-trixie", "10.77.0.32"), ("b", "lab1", "10.77.0.11")],
)
def test_a_lane_has_hosts_of_its_own(monkeypatch: pytest.MonkeyPatch, lane: str, name: str, address: str) -> None:
    monkeypatch.setenv("LAB_LANE", lane)
    (host,) = platforms.hosts([name])
    assert (host.hostname, host.address) == (name, address)


def test_the_inventory_of_the_scenarios_has_the_addresses_of_both_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = yaml.safe_load((paths.ROOT / "molecule/inventory/hosts.yml").read_text(encoding="utf-8"))["gpu_nodes"]
    for lane in platforms.LANES:
        monkeypatch.setenv("LAB_LANE", lane)
        tens = jinja2.Template(inventory["vars"]["__lab_tens"]).render(__lab_lane=lane)
        for name, found in inventory["hosts"].items():
            (host,) = platforms.hosts([name])
            assert found["ansible_host"].replace("{{ __lab_tens }}", tens) == host.address


def test_no_such_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_LANE", "c")
    with pytest.raises(LabError, match="LAB_LANE=c: there is no such lane; known: b, or none"):
        platforms.hosts(["mol-trixie"])


def test_addresses_are_unique_and_in_the_network() -> None:
    addresses = [ipaddress.ip_address(host.address) for host in platforms.HOSTS.values()]
    assert len(set(addresses)) == len(addresses)
    assert all(address in ipaddress.ip_network(platforms.SUBNET) for address in addresses)
    assert ipaddress.ip_address(platforms.GATEWAY) not in addresses


def test_all_unknown_names_are_listed() -> None:
    with pytest.raises(LabError, match="unknown hosts: one, two; known: lab1, "):
        platforms.hosts(["one", "lab1", "two"])


@pytest.mark.parametrize("names", [[], ["lab9"]])
def test_no_or_wrong_names_are_refused(names: list[str]) -> None:
    with pytest.raises(LabError, match="unknown hosts"):
        platforms.hosts(names)


def test_a_platform_without_image_is_refused() -> None:
    with pytest.raises(LabError, match="unknown host image jammy; known: bookworm, trixie"):
        platforms.image("jammy")


@pytest.mark.parametrize(
    ("name", "cgroup_v1", "legacy"),
    [("lab1", True, False), ("mol-trixie", True, True), ("mol-trixie", False, False)],
)
def test_only_trixie_on_cgroup_v1_is_told_to_accept_it(name: str, cgroup_v1: bool, legacy: bool) -> None:
    argv = hosts.run_argv(platforms.HOSTS[name], cgroup_v1)
    assert any("LEGACY_FORCE" in word for word in argv) is legacy


def test_a_host_gets_its_address_volume_and_no_privilege() -> None:
    argv = hosts.run_argv(platforms.HOSTS["lab2"], cgroup_v1=True)
    pairs = list(itertools.pairwise(argv))
    assert argv[-2:] == ["gpufleet-lab/host:bookworm", "/sbin/init"]
    assert "--privileged" not in argv
    for pair in (
        ("--ip", "10.77.0.12"),
        ("--network", "gpufleet-lab"),
        ("-v", "gpufleet-lab-lab2:/var/lib/docker"),
        ("--cap-drop", "SYS_RESOURCE"),
        ("--security-opt", "systempaths=unconfined"),
        ("--shm-size", "2g"),
    ):
        assert pair in pairs
