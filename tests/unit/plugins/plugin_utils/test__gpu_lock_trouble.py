# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_trouble import explain, reboot

APT_LOCK = (
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr)\n"
    "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?"
)
DPKG_LOCK = "dpkg: error: dpkg frontend lock was locked by another process with pid 4711\nNote: removing the lock …"


@pytest.mark.parametrize(
    ("said", "pieces"),
    [
        (APT_LOCK, ["process 4711 (unattended-upgr) holds the lock", "run this again"]),
        (DPKG_LOCK, ["process 4711 (aptitude) holds the lock"]),
        (DPKG_LOCK.replace("another", "/usr/bin/aptitude"), ["process 4711 (aptitude) holds the lock"]),
        (
            "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service",
            ["Secure Boot", "mokutil --import"],
        ),
        ("modprobe: FATAL: Module nvidia is in use.", ["use the cards", "nvidia_driver_reboot"]),
        ("modprobe: FATAL: Module nvidia_uvm is in use.", ["use the cards"]),
        (
            "modprobe: FATAL: Module nvidia not found in directory /lib/modules/6.1.0-40-amd64",
            ["dkms status", "headers"],
        ),
        ("modprobe: ERROR: could not insert 'nvidia': No such device", ["lspci -d 10de:"]),
        ("modprobe: ERROR: could not insert 'nvidia_peermem': Invalid argument", ["another kernel", "dkms install"]),
        ("dpkg: error processing archive: No space left on device", ["disk is full", "Make room"]),
        ("The following packages have unmet dependencies:", ["do not fit together", "nothing was changed"]),
        ("No package matching 'linux-headers-6.1.0-40-amd64' is available", ["headers of the running kernel", "Boot"]),
        ("No package kernel-devel-5.14.0 available.", ["headers of the running kernel"]),
        # Debian 13's 550.163.01 with the kernel of its security archive, 2026-11-22.
        (
            "Error! Bad return status for module build on kernel: 6.12.117+deb13-amd64 (x86_64)",
            ["do not build for a kernel", "make.log", "newer nvidia_driver_version"],
        ),
        (
            "installed nvidia-open-kernel-dkms package post-installation script subprocess returned error exit status 10",
            ["do not build for a kernel"],
        ),
        ("something else went wrong", ["something else went wrong"]),
    ],
)
def test_causes_come_with_a_remedy(said: str, pieces: list[str]) -> None:
    text = explain(said, "    1 systemd\n 4711 aptitude\n")
    assert not [piece for piece in pieces if piece not in text]


def test_a_holder_without_a_name_is_told_by_its_number() -> None:
    assert explain(DPKG_LOCK).startswith("process 4711 holds the lock")


WHY = "nouveau holds the cards"


@pytest.mark.parametrize(
    ("policy", "connection", "earlier", "refusal"),
    [
        ("allowed", "ssh", {}, ""),
        ("never", "ssh", {}, "Set nvidia_driver_reboot: allowed"),
        ("allowed", "local", {}, "reboot this machine by hand"),
        ("allowed", "ssh", {"boot_id": "before", "why": WHY}, "rebooted for this already"),
        # The reboot that was asked for has not happened yet.
        ("allowed", "ssh", {"boot_id": "now", "why": WHY}, ""),
        ("allowed", "ssh", {"boot_id": "before", "why": "another reason"}, ""),
    ],
)
def test_a_reboot_is_asked_for_once(policy: str, connection: str, earlier: dict[str, t.Any], refusal: str) -> None:
    found = reboot(WHY, policy, connection, "now", earlier)
    assert found["allowed"] is (refusal == "")
    assert refusal in found["refusal"]
    assert found["record"] == {"boot_id": "now", "why": WHY}
