# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-ins of NVIDIA's repositories are packages that dpkg reads, with NVIDIA's names."""

from __future__ import annotations

import io
import pathlib
import shutil
import subprocess
import tarfile

import pytest

from tests.lab import nvidia_packages, nvidia_repository
from tests.lab.nvidia_packages import REPOSITORIES, Package


@pytest.mark.parametrize("folder", REPOSITORIES)
def test_a_name_and_version_is_one_package(folder: str) -> None:
    said: dict[tuple[str, str], set[str]] = {}
    for one in REPOSITORIES[folder]():
        said.setdefault((one.name, one.version), set()).add(nvidia_repository.control(one))
    assert all(len(texts) == 1 and "gpufleet lab" in texts.pop() for texts in said.values())


@pytest.mark.parametrize(
    ("version", "name"), [("580.126.20", "nvidia-dkms-580-open"), ("590.48.01", "nvidia-dkms-open")]
)
def test_ubuntu_names_lose_the_branch_at_590(version: str, name: str) -> None:
    assert name in [one.name for one in nvidia_packages.ubuntu(version)]


def test_files_keep_their_modes() -> None:
    with tarfile.open(fileobj=io.BytesIO(nvidia_repository.tar({"usr/bin/x": "#!", "usr/share/y": ""}))) as archive:
        modes = {one.name.removeprefix("./"): one.mode for one in archive.getmembers()}
    assert (modes["usr/bin/x"], modes["usr/share/y"], modes["usr"]) == (0o755, 0o644, 0o755)


def test_the_same_bytes_every_time() -> None:
    package = Package("a", "1", files={"usr/bin/a": "#!/bin/sh\n"})
    assert nvidia_repository.deb(package) == nvidia_repository.deb(package)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="this machine has no dpkg")
def test_dpkg_reads_them(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.deb"
    path.write_bytes(nvidia_repository.deb(nvidia_packages.debian("580.126.20", True)[0]))
    shown = subprocess.run(
        ["dpkg-deb", "--field", str(path), "Package", "Version", "Conflicts"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.splitlines() == [
        "Package: nvidia-kernel-open-dkms",
        "Version: 580.126.20-1",
        "Conflicts: nvidia-kernel-dkms",
    ]
