# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the virtual machines keep things: all below ``.cache/vm`` of the repository."""

from __future__ import annotations

import pathlib
import sys

from tests.lab.paths import ROOT

CACHE = ROOT / ".cache" / "vm"
#: The disk with partition table, GRUB and root file system; its kernel and initial RAM disk, for a start without GRUB.
DISK = CACHE / "disk.raw"
KERNEL = CACHE / "vmlinuz"
INITRD = CACHE / "initrd.img"
#: What the disk was made from.
RECORD = CACHE / "image.json"
#: Keys of the guests: of whoever logs in, and of the host itself.
SSH_KEY = CACHE / "ssh" / "id_ed25519"
HOST_KEY = CACHE / "ssh" / "host_ed25519"
KNOWN_HOSTS = CACHE / "ssh" / "known_hosts"
#: Consoles, inventories and what ansible-playbook said, by guest or step.
LOGS = CACHE / "logs"
#: Where ansible-playbook and its kin are.
BIN = pathlib.Path(sys.executable).parent
