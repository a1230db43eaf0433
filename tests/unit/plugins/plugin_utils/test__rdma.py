# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_profile import profile
from ansible_collections.gpufleet.inference.plugins.plugin_utils._rdma import SHARED, SOURCES, mistakes, plan
from tests.unit.plugins.plugin_utils import rdma_samples as samples
from tests.unit.plugins.plugin_utils.rdma_samples import Data, below_switch, hca, pairs

NONE = samples.rdma({})
ROCE = pairs(1, mlx5_0=hca(below_switch(0x10, 0), 0, {"1": samples.roce()}))
RUNNING = {"gpufleet-rdma.service": {"load": "loaded", "active": "active", "sub": "exited", "enabled": "enabled"}}
GRUB = {"set": ["update-grub"], "unset": ["update-grub"]}
GRUBBY = {"set": ["grubby", "--args={options}"], "unset": ["grubby", "--remove-args={options}"]}


def node(rdma: Data | None = None, **more: t.Any) -> Data:
    return {
        "virtualization": "none",
        "packages": {"rdma-core": "44.0-2", "vim": "9"},
        "held_packages": [],
        "units": {},
        "paths": {},
        "rdma": pairs(2) if rdma is None else rdma,
        **more,
    }


def wishes(**more: t.Any) -> Data:
    return {
        "state": "present",
        "prepare": "auto",
        "stack": "inbox",
        "packages": ["rdma-core", "perftest"],
        "modules": ["ib_uverbs", "mlx5_ib"],
        "hcas": [],
        "compute_hcas": 0,
        "lack_refused": True,
        "rate_gbps": 0.0,
        "link_layer": "auto",
        "gid_index": None,
        "traffic_class": None,
        "roce_trust": "keep",
        "roce_pfc_priorities": [],
        "topology_file": "",
        "used_by_engines": True,
        "nccl_conf": False,
        "acs_disabled": False,
        "max_read_request_bytes": 0,
        "iommu": "keep",
        "doca_version": "",
        "doca_packages": ["doca-ofed"],
        "doca_key_fingerprint": "",
        "kernel_options_commands": GRUB,
        **more,
    }


DOCA = {
    "stack": "doca_ofed",
    "doca_version": "3.2.1",
    "doca_key_fingerprint": "0123456789ABCDEF0123456789ABCDEF01234567",
}


@pytest.mark.parametrize(
    "good", [{}, DOCA, {"max_read_request_bytes": 4096, "traffic_class": 0, "roce_pfc_priorities": [3]}]
)
def test_good_wishes_have_no_mistakes(good: Data) -> None:
    assert mistakes(node(), wishes(**good)) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({**DOCA, "doca_version": "3.2"}, "rdma_doca_version: '3.2' is not one exact version"),
        ({**DOCA, "doca_version": "latest"}, "rdma_doca_version: 'latest'"),
        ({**DOCA, "doca_key_fingerprint": "abc"}, "rdma_doca_key_fingerprint: 40 hexadecimal digits"),
        ({"max_read_request_bytes": 8192}, "rdma_max_read_request_bytes: 8192 is none of 0, 128"),
        ({"traffic_class": 256}, "rdma_traffic_class: 256 is not between 0 and 255"),
        ({"gid_index": -1}, "rdma_gid_index: -1 is not between"),
        ({"compute_hcas": -1}, "rdma_compute_hcas: -1 is not between 0 and 64"),
        ({"roce_pfc_priorities": [3, 8]}, "rdma_roce_pfc_priorities: [8] are no priorities"),
        ({"topology_file": "topology.xml"}, "rdma_topology_file: topology.xml is no absolute path"),
        ({"compute_hcas": 4}, "rdma_compute_hcas: 4 are wanted, 2 can be used"),
        ({"hcas": ["mlx5_9"]}, "rdma_hcas: there is no mlx5_9"),
    ],
)
def test_a_mistake_names_its_variable(wrong: Data, told: str) -> None:
    found = mistakes(node(), wishes(**wrong))
    assert any(told in one for one in found), found
    assert mistakes(node(), wishes(**wrong, state="absent")) == []


def test_what_a_node_lacks_can_be_left_to_the_proof() -> None:
    assert mistakes(node(), wishes(compute_hcas=4, hcas=["mlx5_9"], lack_refused=False)) == []
    assert len(mistakes(node(), wishes(gid_index=-1, lack_refused=False))) == 1


NAMES = ["mlx5_0", "mlx5_1"]
LINK = {"rate_gbps": 400.0, "link_layer": "InfiniBand"}
ONE_DOWN = pairs(2, mlx5_1=hca(below_switch(0x20, 0), 1, {"1": samples.port(state="DOWN", physical_state="Polling")}))
ALL_DOWN = pairs(1, mlx5_0=hca(below_switch(0x10, 0), 0, {"1": samples.port(state="INIT")}))


@pytest.mark.parametrize(
    ("rdma", "wish", "expect"),
    [
        (pairs(2), {}, {"hcas": NAMES, **LINK}),
        (pairs(2), {"max_read_request_bytes": 4096}, {"hcas": NAMES, **LINK, "max_read_request": 4096}),
        (pairs(2), {"compute_hcas": 2}, {"hcas": NAMES, **LINK}),
        (pairs(2), {"topology_file": "/etc/t.xml"}, {"hcas": NAMES, **LINK, "topology_file": "/etc/t.xml"}),
        (pairs(2), {"hcas": ["mlx5_1"]}, {"hcas": ["mlx5_1"], **LINK}),
        # Trust and flow control are RoCE's.
        (pairs(2), {"roce_trust": "dscp", "roce_pfc_priorities": [3]}, {"hcas": NAMES, **LINK}),
        (pairs(2), {"hcas": ["mlx5_9"]}, {"hcas": ["mlx5_9"]}),
        (pairs(2), {"compute_hcas": 4, "rate_gbps": 400.0}, {"hcas": 4, **LINK}),
        (NONE, {"compute_hcas": 4}, {"hcas": 4}),
        # A dead port of the same card does not make the proof smaller.
        (ONE_DOWN, {}, {"hcas": NAMES, **LINK}),
        (ONE_DOWN, {"compute_hcas": 2}, {"hcas": NAMES, **LINK}),
        # A spare port without a cable does not spoil a number that is reached.
        (ONE_DOWN, {"compute_hcas": 1}, {"hcas": ["mlx5_0"], **LINK}),
        (ALL_DOWN, {}, {"hcas": ["mlx5_0"]}),
        # Nothing to use, nothing to prove.
        (NONE, {"prepare": "always"}, {}),
        (samples.soft(), {}, {}),
        (pairs(2), {"used_by_engines": False}, {}),
    ],
)
def test_what_is_proven(rdma: Data, wish: Data, expect: Data) -> None:
    found = plan(node(rdma), wishes(**wish))["expect"]
    assert found == expect
    profile(found)


def test_what_was_set_for_roce_is_expected() -> None:
    asked = {"roce_trust": "dscp", "roce_pfc_priorities": [4, 3]}
    found = plan(node(ROCE), wishes(**asked))["expect"]
    assert (found["roce_trust"], found["roce_pfc_priorities"]) == ("dscp", [3, 4])
    assert not {"roce_trust", "roce_pfc_priorities"} & set(plan(node(ROCE), wishes())["expect"])
    profile(found)


def test_a_node_without_a_device_is_left_alone() -> None:
    found = plan(node(NONE), wishes(acs_disabled=True, iommu="pt"))
    assert found["applies"] is False
    assert found["choice"]["verdict"] == "not_verified"


@pytest.mark.parametrize(
    "wish", [{"prepare": "always"}, {"compute_hcas": 4}, {"hcas": ["mlx5_0"]}, {"state": "absent"}]
)
def test_a_node_without_a_device_is_not_left_alone_when_asked(wish: Data) -> None:
    assert plan(node(NONE), wishes(**wish))["applies"] is True


def test_bare_metal_with_defaults() -> None:
    found = plan(node(), wishes())
    assert found["packages"] == ["perftest"]
    assert found["modules"] == ["ib_uverbs", "mlx5_ib"]
    assert found["choice"]["nccl_ib_hca"] == "=mlx5_0:1,mlx5_1:1"
    # Nothing is set that nobody asked for.
    assert (found["settings"], found["unit"], found["idle"], found["kernel_options"]) == ({}, "", False, "")
    assert [name for name, state in found["files"].items() if state == "present"] == ["modules"]


ASKED = {"acs_disabled": True, "max_read_request_bytes": 4096, "roce_trust": "dscp", "roce_pfc_priorities": [4, 3]}


@pytest.mark.parametrize(
    ("rdma", "virtualization", "settings"),
    [
        (
            ROCE,
            "none",
            {"acs_disabled": True, "max_read_request_bytes": 4096, "roce": {"trust": "dscp", "pfc_priorities": [3, 4]}},
        ),
        (pairs(1), "none", {"acs_disabled": True, "max_read_request_bytes": 4096}),
        # In a guest ACS is needed, and the registers are the machine's.
        (ROCE, "kvm", {"roce": {"trust": "dscp", "pfc_priorities": [3, 4]}}),
        (pairs(1), "kvm", {}),
        (ROCE, "docker", {}),
    ],
)
def test_what_the_boot_unit_sets(rdma: Data, virtualization: str, settings: Data) -> None:
    found = plan(node(rdma, virtualization=virtualization), wishes(**ASKED))
    assert found["settings"] == ({**settings, "hcas": ["mlx5_0"]} if settings else {})
    assert found["unit"] == ("gpufleet-rdma.service" if settings else "")
    assert found["files"]["settings"] == ("present" if settings else "absent")
    assert found["idle"] is bool(settings)


def test_a_unit_that_ran_is_not_started_again() -> None:
    assert plan(node(units=RUNNING), wishes(acs_disabled=True))["idle"] is False


@pytest.mark.parametrize(
    ("wish", "more", "options", "commands", "command"),
    [
        ({"iommu": "pt"}, {}, "iommu=pt", GRUB, ["update-grub"]),
        ({"iommu": "pt"}, {}, "iommu=pt", GRUBBY, ["grubby", "--args=iommu=pt"]),
        ({"iommu": "keep"}, {}, "", GRUBBY, ["grubby", "--remove-args=iommu=pt"]),
        ({"iommu": "pt", "state": "absent"}, {}, "", GRUBBY, ["grubby", "--remove-args=iommu=pt"]),
        # The kernel of a container is its machine's.
        ({"iommu": "pt"}, {"virtualization": "docker"}, "", GRUB, ["update-grub"]),
    ],
)
def test_kernel_options(wish: Data, more: Data, options: str, commands: Data, command: list[str]) -> None:
    found = plan(node(**more), wishes(**wish, kernel_options_commands=commands))
    assert found["kernel_options"] == options
    assert found["files"]["kernel_options"] == ("present" if options else "absent")
    assert found["kernel_options_command"] == command


def test_a_container_has_the_modules_of_its_machine() -> None:
    found = plan(node(virtualization="docker"), wishes())
    assert found["modules"] == []
    assert found["files"]["modules"] == "present"


def test_the_file_for_other_programs_needs_something_to_say() -> None:
    assert plan(node(), wishes(nccl_conf=True))["files"]["nccl"] == "present"
    ours = {"/etc/nccl.conf": {"kind": "file"}}
    assert plan(node(NONE, paths=ours), wishes(nccl_conf=True))["files"]["nccl"] == "absent"


def test_settings_of_nccl_that_somebody_else_wrote_are_left_alone() -> None:
    for wish in ({}, {"state": "absent"}):
        assert plan(node(), wishes(**wish))["files"]["nccl"] == "foreign"


def test_doca_takes_the_place_of_the_inbox_stack() -> None:
    fresh = plan(node(), wishes(**DOCA))
    assert (fresh["packages"], fresh["doca"], fresh["hold"]) == ([], ["doca-ofed"], [])
    there = plan(node(packages={"doca-ofed": "3.2.1"}), wishes(**DOCA))
    assert (there["doca"], there["hold"]) == ([], ["doca-ofed"])
    held = node(packages={"doca-ofed": "3.2.1"}, held_packages=["doca-ofed"])
    assert plan(held, wishes(**DOCA))["hold"] == []
    ours = {**held, "paths": {SOURCES[0]: {"kind": "file"}}}
    assert plan(ours, wishes())["unhold"] == plan(ours, wishes(**DOCA, state="absent"))["unhold"] == ["doca-ofed"]
    # Held by whoever brought it.
    assert plan(held, wishes())["unhold"] == []


def test_absent_wants_nothing() -> None:
    ours = {path: {"kind": "file"} for path in SHARED.values()}
    found = plan(
        node(units=RUNNING, paths=ours), wishes(**{**ASKED, **DOCA}, state="absent", nccl_conf=True, iommu="pt")
    )
    assert set(found["files"].values()) == {"absent"}
    assert (found["packages"], found["doca"], found["modules"], found["unit"], found["expect"]) == ([], [], [], "", {})


BARE: Data = {"packages": {}, "paths": {}}
OURS: Data = {"paths": {SHARED["naming"]: {"kind": "file"}}}


@pytest.mark.parametrize(
    ("rdma", "more", "wish", "state"),
    [
        (pairs(2), BARE, {}, "present"),
        # The second run, when the package is there.
        (pairs(2), OURS, {}, "present"),
        # rdma-core was there before us, and whoever brought it has chosen.
        (pairs(2), {}, {}, "foreign"),
        (samples.rdma({"ibp24s0": hca(below_switch(0x10, 0), 0)}), BARE, {}, "foreign"),
        (NONE, BARE, {"prepare": "always"}, "foreign"),
        (pairs(2), OURS, {"state": "absent"}, "absent"),
    ],
)
def test_devices_keep_their_names_when_rdma_core_comes(rdma: Data, more: Data, wish: Data, state: str) -> None:
    assert plan(node(rdma, **more), wishes(**wish))["files"]["naming"] == state
