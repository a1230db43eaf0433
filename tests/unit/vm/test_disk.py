# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disk of the guests: what stands in front of its file system."""

from __future__ import annotations

import pathlib
import shutil
import struct
import subprocess

import pytest

from tests.lab.shell import LabError
from tests.vm import disk


def test_the_boot_sector_holds_the_code_and_one_active_linux_partition() -> None:
    sector = disk.boot_sector(b"\xeb\x63" + b"\x90" * 510, 4096)
    assert len(sector) == disk.SECTOR
    assert sector[:2] == b"\xeb\x63"
    assert sector[510:] == b"\x55\xaa"
    active, kind, first, sectors = struct.unpack("<B3xB3xII", sector[446:462])
    assert (active, kind, first, sectors) == (0x80, 0x83, 2048, 4096)
    assert sector[462:510] == bytes(48), "three empty entries"


def test_what_grub_ships_behind_its_code_does_not_reach_the_table() -> None:
    sector = disk.boot_sector(b"\xff" * 512, 1)
    assert struct.unpack("<I", sector[440:444]) == (disk.SIGNATURE,)
    assert sector[462:510] == bytes(48)


def test_a_core_image_that_would_overwrite_the_partition_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(LabError, match="does not fit"):
        disk.write(tmp_path / "disk", tmp_path, b"", b"x" * disk.SECTOR * disk.FIRST_SECTOR, 8)
    assert not (tmp_path / "disk").exists()


@pytest.mark.skipif(not shutil.which("mke2fs") or not shutil.which("debugfs"), reason="needs e2fsprogs")
def test_the_partition_holds_the_tree(tmp_path: pathlib.Path) -> None:
    tree = tmp_path / "tree"
    (tree / "boot").mkdir(parents=True)
    (tree / "boot" / "said").write_text("read by GRUB\n")
    path = tmp_path / "disk"
    disk.write(path, tree, b"code", b"core", 8)
    assert path.stat().st_size == (2048 * 512) + 8 * 1024 * 1024
    assert path.read_bytes()[512:516] == b"core"
    said = subprocess.run(
        ["debugfs", "-R", "cat /boot/said", f"{path}?offset={2048 * 512}"], capture_output=True, text=True, check=True
    )
    assert said.stdout == "read by GRUB\n"
