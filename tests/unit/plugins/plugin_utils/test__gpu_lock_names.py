# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fnmatch
import string

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_names import FAMILY, NAMINGS, Naming

PARTS = ("open", "proprietary", "compute", "fabric_manager", "imex", "nscq")


def names(naming: Naming) -> list[str]:
    inside = [one for part in PARTS for alternative in getattr(naming, part) for one in alternative]
    return [*inside, *naming.optional, *naming.loose, *naming.nvlsm, *naming.pinning]


@pytest.mark.parametrize("name", NAMINGS)
def test_only_branch_and_version_are_filled_in(name: str) -> None:
    fields = {field for one in names(NAMINGS[name]) for _, field, _, _ in string.Formatter().parse(one) if field}
    assert fields <= {"branch", "version"}


@pytest.mark.parametrize("name", NAMINGS)
def test_every_name_belongs_to_the_family(name: str) -> None:
    filled = [one.format(branch="580", version="580.126.20") for one in names(NAMINGS[name])]
    assert not [one for one in filled if not any(fnmatch.fnmatchcase(one, pattern) for pattern in FAMILY)]


def test_the_container_toolkit_is_no_member() -> None:
    toolkit = (
        "nvidia-container-toolkit",
        "nvidia-container-toolkit-base",
        "libnvidia-container1",
        "nvidia-cdi-refresh",
    )
    assert not [one for one in toolkit if any(fnmatch.fnmatchcase(one, pattern) for pattern in FAMILY)]


@pytest.mark.parametrize(
    ("package", "member"),
    [
        # What Debian 12 installs with 535.261.03 while its security archive has 535.309.01, read from apt on 2026-11-22.
        *((one, True) for one in ("nvidia-alternative", "libnvidia-pkcs11-openssl3", "firmware-nvidia-gsp")),
        *((one, True) for one in ("nvidia-open-kernel-support", "libnvidia-cfg1", "libnvidia-ptxjitcompiler1")),
        *((one, False) for one in ("nvidia-kernel-common", "nvidia-support", "nvidia-installer-cleanup")),
        *((one, False) for one in ("nvidia-legacy-check", "glx-alternative-nvidia", "update-glx")),
        # Ubuntu, branch by branch.
        *((one, True) for one in ("nvidia-kernel-common-580", "nvidia-kernel-source-580-open", "nvidia-firmware-580")),
    ],
)
def test_what_moves_with_the_driver(package: str, member: bool) -> None:
    assert any(fnmatch.fnmatchcase(package, pattern) for pattern in FAMILY) is member
