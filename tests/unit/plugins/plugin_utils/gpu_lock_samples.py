# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wishes, nodes and candidates for tests of the driver's lock."""

from __future__ import annotations

import typing as t

from tests.lab.nvidia_packages import REPOSITORIES

NAMINGS = {
    "debian12": ["nvidia_debian"],
    "debian13": ["nvidia_debian"],
    "ubuntu2204": ["nvidia_ubuntu"],
    "ubuntu2404": ["nvidia_ubuntu"],
    "canonical2404": ["ubuntu_server", "ubuntu"],
}
URL = "https://repository.example.com/"
FINGERPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"


def candidates(folder: str) -> dict[str, list[dict[str, t.Any]]]:
    """Return what package_candidates reads from a stand-in repository."""
    found: dict[str, list[dict[str, t.Any]]] = {}
    for one in REPOSITORIES[folder]():
        entry = {
            "version": one.version,
            "repository": URL,
            "transitional": "Transitional" in one.summary,
        }
        found.setdefault(one.name, []).append(entry)
    return found


def wishes(**more: t.Any) -> dict[str, t.Any]:
    """Return good wishes for Debian 12 and NVIDIA's repository."""
    return {
        "version": "580.126.20",
        "flavour": "open",
        "source": "nvidia_repository",
        "cards": ["auto"],
        "fabric_manager": "auto",
        "imex": "auto",
        "cuda_at_least": "",
        "cuda_compat": False,
        "settings": {},
        "tensor_parallel": 1,
        "namings": ["nvidia_debian"],
        "repository": URL,
        "where": URL,
        "key_fingerprint": FINGERPRINT,
        "mirror_url": "",
        "directory": "",
        "runfile_url": "",
        "runfile_sha256": "",
        "reboot": "never",
        "connection": "ssh",
        "peermem": "auto",
        "persistence": True,
        "free_gib": 4,
        "build_packages": ["dkms", "linux-headers-{kernel}"],
        **more,
    }


def node(*cards: str, switches: int = 0, **more: t.Any) -> dict[str, t.Any]:
    """Return a bare-metal node with these cards."""
    return {
        "virtualization": "none",
        "package_manager": "apt",
        "kernel": "6.1.0-40-amd64",
        "boot_id": "this-boot",
        "packages": {},
        "held_packages": [],
        "units": {},
        "disk_free_bytes": {"/": 50 * 2**30, "/var/lib": 50 * 2**30},
        "gpus": [{"pci": f"0000:{at:02x}:00.0", "device": card} for at, card in enumerate(cards)],
        "nvidia": {
            "version": "",
            "flavour": "",
            "nouveau": False,
            "switches": [f"0000:{at + 16:02x}:00.0" for at in range(switches)],
        },
        **more,
    }
