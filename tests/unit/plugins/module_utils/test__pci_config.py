# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _pci_config
from tests.fakes.rdma.config_space import config_space


@pytest.mark.parametrize("size", [128, 512, 4096])
@pytest.mark.parametrize("payload", [128, 256, 512])
def test_device_control(size: int, payload: int) -> None:
    found = _pci_config.parse(config_space(max_read_request=size, max_payload=payload, relaxed_ordering=size > 128))
    assert (found["max_read_request"], found["max_payload"], found["relaxed_ordering"]) == (size, payload, size > 128)
    assert (found["acs_capable"], found["acs"], found["ats"], found["problem"]) == (False, None, None, "")


@pytest.mark.parametrize(
    ("settings", "capable", "acs", "ats"),
    [
        ({"acs_capable": True}, True, 0, None),
        ({"acs": 0x5D}, True, 0x5D, None),
        ({"ats": True}, False, None, True),
        ({"acs": 0x1D, "ats": False}, True, 0x1D, False),
    ],
)
def test_extended_capabilities(settings: dict[str, t.Any], capable: bool, acs: int | None, ats: bool | None) -> None:
    found = _pci_config.parse(config_space(**settings))
    assert (found["acs_capable"], found["acs"], found["ats"]) == (capable, acs, ats)


def looped() -> bytes:
    """Return a space whose lists of capabilities have no end."""
    space = bytearray(config_space(acs=0x1D))
    space[0x41] = 0x40
    space[0x100:0x104] = (0x0001 | 1 << 16 | 0x100 << 20).to_bytes(4, "little")
    return bytes(space)


@pytest.mark.parametrize(
    ("space", "problem"),
    [
        (b"", "could not be read"),
        (b"\xff" * 4096, "does not answer"),
        (config_space(readable=64), "only root"),
        (config_space(readable=256), "extended configuration space"),
        (bytes(4096), "no PCI Express capability"),
        (looped(), "no PCI Express capability"),
    ],
)
def test_what_cannot_be_read_says_why(space: bytes, problem: str) -> None:
    found = _pci_config.parse(space)
    assert problem in found["problem"]
    assert (found["acs_capable"], found["acs"], found["ats"]) == (None, None, None)


def test_256_bytes_tell_the_read_request() -> None:
    assert _pci_config.parse(config_space(readable=256, max_read_request=512))["max_read_request"] == 512


def test_a_loop_of_extended_capabilities_ends() -> None:
    space = looped()
    assert _pci_config.extended_capabilities(space) == {0x0001: 0x100}


def test_a_missing_function_is_a_problem(tmp_path: pathlib.Path) -> None:
    assert "No such file" in _pci_config.read(str(tmp_path), "0000:01:00.0")["problem"]
