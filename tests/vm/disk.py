# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bootable disk in a file, made without a loop device: partition table, GRUB's first sectors, one ext4 file system.

Layout as ``grub-install`` makes it on a BIOS machine: boot.img in sector 0 beside the partition table, core.img in the gap
behind it, the partition at 1 MiB. boot.img as it is shipped loads from sector 1, and core.img goes on at sector 2.
"""

from __future__ import annotations

import pathlib
import struct

from tests.lab.shell import LabError, run

SECTOR = 512
FIRST_SECTOR = 2048
#: A disk signature is needed by nobody here, but 0 means "none" to some tools.
SIGNATURE = 0x67706678
BOOT_CODE_BYTES = 440
#: What GRUB's ext2 module and every e2fsprogs know; no journal, as a crash is not what is tested.
FEATURES = "none,extent,filetype,sparse_super,large_file,huge_file,dir_index,ext_attr,resize_inode"


def boot_sector(boot_code: bytes, partition_sectors: int) -> bytes:
    """Return sector 0: GRUB's boot code and a table of one active Linux partition."""
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", FIRST_SECTOR, partition_sectors)
    return (
        boot_code[:BOOT_CODE_BYTES].ljust(BOOT_CODE_BYTES, b"\0")
        + struct.pack("<IH", SIGNATURE, 0)
        + entry.ljust(64, b"\0")
        + b"\x55\xaa"
    )


def write(path: pathlib.Path, tree: pathlib.Path, boot_code: bytes, core: bytes, mebibytes: int) -> None:
    """Write a disk with a copy of ``tree`` as its root file system. ``mebibytes`` is the size of the partition."""
    if len(core) > (FIRST_SECTOR - 1) * SECTOR:
        raise LabError(f"GRUB's core image, {len(core)} bytes, does not fit in front of the partition")
    sectors = mebibytes * (1 << 20) // SECTOR
    with path.open("wb") as disk:
        disk.truncate((FIRST_SECTOR + sectors) * SECTOR)
        disk.write(boot_sector(boot_code, sectors) + core)
    argv = ["mke2fs", "-q", "-F", "-t", "ext4", "-O", FEATURES, "-E", f"offset={FIRST_SECTOR * SECTOR}"]
    run([*argv, "-L", "gpufleet-vm", "-d", str(tree), str(path), f"{mebibytes}M"])
