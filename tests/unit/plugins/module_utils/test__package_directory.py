# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import shutil

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _package_directory
from ansible_collections.gpufleet.inference.plugins.module_utils._candidates import Unavailable
from tests.lab import nvidia_repository
from tests.lab.nvidia_packages import Package

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="this machine has no dpkg")


def test_packages_and_their_index(tmp_path: pathlib.Path) -> None:
    content = nvidia_repository.deb(Package("nvidia-smi", "580.126.20-1", "libnvidia-ml1 (= 580.126.20-1)"))
    (tmp_path / "nvidia-smi.deb").write_bytes(content)
    (tmp_path / "README").write_text("no package\n", encoding="utf-8")
    found, index = _package_directory.read(str(tmp_path))
    assert found["nvidia-smi"][0]["version"] == "580.126.20-1"
    assert found["nvidia-smi"][0]["repository"] == f"file://{tmp_path}"
    assert "Filename: ./nvidia-smi.deb\n" in index and f"Size: {len(content)}\n" in index
    assert "Depends: libnvidia-ml1 (= 580.126.20-1)\n" in index


def test_an_empty_directory_has_nothing(tmp_path: pathlib.Path) -> None:
    assert _package_directory.read(str(tmp_path)) == ({}, "")


def test_a_broken_package_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "cut.deb").write_bytes(b"!<arch>\n")
    with pytest.raises(Unavailable, match=r"cut\.deb is no usable package: copy it again"):
        _package_directory.read(str(tmp_path))
