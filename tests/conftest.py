# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the working tree importable as a collection, by Ansible's own loader: plugins and tests then see one module each."""

from __future__ import annotations

import pathlib

from ansible.plugins.loader import init_plugin_loader

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLLECTIONS = ROOT / ".cache" / "collections"
LINK = COLLECTIONS / "ansible_collections" / "gpufleet" / "inference"


def pytest_configure() -> None:
    """Link the collection path to the repository, as ``make setup`` does, so that plain ``pytest`` works too."""
    if not LINK.exists():
        LINK.parent.mkdir(parents=True, exist_ok=True)
        LINK.symlink_to(ROOT)
    init_plugin_loader([str(COLLECTIONS)])
