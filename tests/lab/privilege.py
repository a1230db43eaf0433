# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root where it is needed, and what root made handed back."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys


def become_root(package: str) -> None:
    """Start ``python -m package`` again under sudo when not root: Docker, mmdebstrap and apt need it."""
    if os.geteuid():
        if not shutil.which("sudo"):
            sys.exit(f"{package}: error: this needs root; install sudo or run it as root")
        os.execvp("sudo", ["sudo", "--preserve-env=PATH", sys.executable, "-m", package, *sys.argv[1:]])


def give_back(cache: pathlib.Path) -> None:
    """Under sudo, hand the cache (the SSH key above all) back to the user who called."""
    if "SUDO_UID" in os.environ and cache.exists():
        user, group = int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])
        for path in [cache, *cache.rglob("*")]:
            os.chown(path, user, group, follow_symlinks=False)
