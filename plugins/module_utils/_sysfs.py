# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read many small files of sysfs quickly; what is absent or cannot be read is None, "" or [], never guessed.

A RoCE card has 256 entries of GIDs, so one file must cost microseconds: no pathlib here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import errno
import os
import re
import typing as t

#: sysfs gives at most one page for a file.
_PAGE = 4096

ADDRESS = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
PCI_DEVICES = "/sys/bus/pci/devices"

#: PCI classes of GPUs, VGA and 3D controller (PCI code and ID assignment).
GPU_CLASSES = ("0300", "0302")


def below(root: str, path: str) -> str:
    """Return an absolute path as it lies below ``root``."""
    return os.path.join(root, path.lstrip("/"))


def attempt(path: str) -> tuple[str | None, str]:
    """Return (stripped text, "") or (None, name of the error such as ENOENT or EINVAL)."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        return None, errno.errorcode.get(error.errno or 0, str(error))
    try:
        return os.read(handle, _PAGE).decode(errors="replace").strip(), ""
    except OSError as error:
        return None, errno.errorcode.get(error.errno or 0, str(error))
    finally:
        os.close(handle)


def text(path: str) -> str | None:
    """Return the stripped text of a file, or None."""
    return attempt(path)[0]


def number(value: str | None, base: int = 10) -> int | None:
    """Return a whole number, or None for anything else; base 0 takes 0x…"""
    try:
        return int(value or "", base)
    except ValueError:
        return None


def names(path: str) -> list[str]:
    """Return the entries of a directory in natural order, [] when there is none."""
    try:
        return sorted(os.listdir(path), key=natural)
    except OSError:
        return []


def natural(name: str) -> list[tuple[int, t.Any]]:
    """Sort key by which mlx5_10 comes after mlx5_9."""
    return [(1, int(part)) if part.isdigit() else (0, part) for part in re.findall(r"\d+|\D+", name)]


def components(root: str, path: str) -> list[str]:
    """Return the real path of a device below /sys/devices in its parts: ["pci0000:15", "0000:15:01.0", …], [] when absent."""
    if not os.path.exists(path):
        return []
    devices = os.path.realpath(below(root, "/sys/devices")) + os.sep
    real = os.path.realpath(path)
    return real[len(devices) :].split(os.sep) if real.startswith(devices) else []


def link_name(path: str) -> str:
    """Return the last part of what a symbolic link points to, "" when it is none."""
    return os.path.basename(os.readlink(path)) if os.path.islink(path) else ""


def speed_gts(said: str | None) -> float | None:
    """Return GT/s of "32.0 GT/s PCIe"; None for "Unknown" or nothing."""
    match = re.match(r"(\d+(?:\.\d+)?) GT/s", said or "")
    return float(match[1]) if match else None


def link_width(said: str | None) -> int | None:
    """Return the lanes; the kernel says 0 or 255 when a card does not answer."""
    return int(said) if said and said.isdigit() and int(said) not in (0, 255) else None
