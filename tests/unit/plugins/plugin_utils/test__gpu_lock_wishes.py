# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_wishes import mistakes, services
from ansible_collections.gpufleet.inference.tests.unit.plugins.plugin_utils.gpu_lock_samples import node, wishes


@pytest.mark.parametrize("card", ["2329", "2335", "20b2", "2901", "1eb8", "ffff"])
def test_good_wishes_have_no_mistakes(card: str) -> None:
    assert mistakes(wishes(), node(card)) == []


SHA = "a" * 64

#: (wishes, cards, every piece that the sentences must hold)
WRONG: list[tuple[dict[str, t.Any], list[str], list[str]]] = [
    ({"version": "current"}, [], ["nvidia_driver_version", "580"]),
    ({"version": "58"}, [], ["nvidia_driver_version"]),
    ({"cards": ["H20"]}, [], ["nvidia_driver_cards", "2329"]),
    ({"cards": ["auto", "2329"]}, [], ["exclude each other"]),
    ({"cuda_at_least": "13"}, [], ["nvidia_driver_cuda_at_least", "13.0"]),
    ({"cuda_at_least": "14.0"}, ["2329"], ["not known here"]),
    ({"source": "mirror"}, [], ["nvidia_driver_mirror_url"]),
    ({"source": "directory"}, [], ["nvidia_driver_directory"]),
    ({"source": "runfile"}, [], ["nvidia_driver_runfile_sha256"]),
    (
        {"source": "runfile", "runfile_url": "https://x", "runfile_sha256": SHA, "version": "580"},
        [],
        ["all its numbers"],
    ),
    (
        {"source": "runfile", "runfile_url": "https://x", "runfile_sha256": SHA, "fabric_manager": "required"},
        ["2329"],
        ["nvidia_driver_source", "Fabric Manager"],
    ),
    ({"source": "distribution", "namings": ["debian"], "fabric_manager": "required"}, ["2329"], ["nvidia_repository"]),
    ({"key_fingerprint": "3bf863cc"}, [], ["nvidia_driver_repository_fingerprint", "40 hexadecimal digits"]),
    ({"flavour": "proprietary"}, ["2901"], ["nvidia_driver_flavour", "B200", "write open"]),
    ({"flavour": "proprietary"}, ["2342"], ["GH200"]),
    ({"flavour": "open"}, ["1db1"], ["V100", "write proprietary"]),
    ({"flavour": "proprietary", "version": "620.10.01"}, ["2329"], ["no proprietary kernel modules any more"]),
    ({"version": "550"}, ["2901"], ["B200 needs branch 570 or newer, not 550"]),
    ({"version": "570"}, ["3182"], ["B300 needs branch 580"]),
    ({"version": "590", "flavour": "proprietary"}, ["1db6"], ["the last branch for V100 PCIe 32 GB is 580"]),
    (
        {"version": "550", "cuda_at_least": "13.0"},
        ["2329"],
        ["needs branch 580 or newer, not 550", "cuda_compat: true"],
    ),
    (
        {"version": "560", "cuda_at_least": "13.0", "cuda_compat": True},
        ["2329"],
        ["needs branch 580 or newer, not 560."],
    ),
    ({"settings": {"fan": 1}}, [], ["unknown fan"]),
    ({"settings": {"mig": True}, "tensor_parallel": 8}, ["2329"], ["MIG", "tensor_parallel: 1"]),
]


@pytest.mark.parametrize(("wrong", "cards", "pieces"), WRONG)
def test_every_mistake_is_one_sentence_that_says_what_to_write(
    wrong: dict[str, t.Any], cards: list[str], pieces: list[str]
) -> None:
    found = mistakes(wishes(**wrong), node(*cards))
    assert len(found) == 1
    assert not [piece for piece in pieces if piece not in found[0]]


def test_all_mistakes_come_at_once() -> None:
    found = mistakes(wishes(version="550", flavour="proprietary", cuda_at_least="13.0"), node("2901"))
    assert len(found) == 3


def test_an_older_branch_with_compat_is_no_mistake() -> None:
    assert mistakes(wishes(version="570", cuda_at_least="13.0", cuda_compat=True), node("20b2")) == []


@pytest.mark.parametrize(
    ("card", "switches", "virtualization", "expected"),
    [
        ("2329", 4, "none", (True, False, False)),
        ("2329", 0, "none", (False, False, False)),
        ("2335", 0, "kvm", (False, False, False)),
        ("2329", 4, "kvm", (False, False, False)),
        ("2901", 0, "none", (True, True, False)),
        ("2901", 0, "kvm", (False, False, False)),
        ("2941", 0, "none", (False, False, True)),
        ("26b9", 0, "none", (False, False, False)),
        ("ffff", 4, "none", (False, False, False)),
    ],
)
def test_services_follow_cards_switches_and_metal(
    card: str, switches: int, virtualization: str, expected: tuple[bool, bool, bool]
) -> None:
    found = services(wishes(), node(card, switches=switches, virtualization=virtualization))
    assert (found["fabric_manager"], found["nvlsm"], found["imex"]) == expected


def test_declared_cards_take_the_place_of_those_on_the_bus() -> None:
    assert services(wishes(cards=["2901"]), node())["fabric_manager"]
    assert not services(wishes(cards=[]), node("2901"))["fabric_manager"]
