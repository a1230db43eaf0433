# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts of the lock: what keeps package managers at the locked versions.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_names import FAMILY, SHARED

#: Above 1000 apt takes the version even where that is a downgrade (apt_preferences(5)).
LOCKED = 1001
NEVER = -1


def pins(driver: str, packages: t.Mapping[str, str]) -> str:
    """Return the apt preferences: the locked versions win, no other package of the driver's family comes in."""
    own = {name: version for name, version in packages.items() if not version.startswith(driver)}
    records = [
        *(_record(name, f"version {version}", LOCKED) for name, version in sorted(own.items())),
        _record(" ".join((*FAMILY, *SHARED)), f"version {driver}-*", LOCKED),
        _record(" ".join(FAMILY), "release *", NEVER),
    ]
    return "\n".join(records)


def _record(names: str, pin: str, priority: int) -> str:
    return (
        "Explanation: Written by the role gpufleet.inference.nvidia_driver; changes made here are lost.\n"
        f"Package: {names}\nPin: {pin}\nPin-Priority: {priority}\n"
    )
