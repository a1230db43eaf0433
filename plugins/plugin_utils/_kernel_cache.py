# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where compiled kernels outlive a container: one folder per image and kind of GPU, as neither fits another one.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import typing as t

#: Inside of every container.
INSIDE = "/var/cache/gpufleet"

WHY = "kernels that were compiled once are there after a restart"


def mount(directory: str, image: str, identity: str, gpu_kind: str) -> list[str]:
    """Return the mounts (one, or none without a directory) of the caches of an image on a node.

    ``identity`` is the image's digest or id where it is known: another image under the same name gets another folder.
    """
    if not directory:
        return []
    name = hashlib.sha256(f"{image} {identity}".encode()).hexdigest()[:12]
    return [f"{directory}/{name}-{gpu_kind or 'no-gpu'}:{INSIDE}"]


def variables(caches: t.Mapping[str, str], mounts: t.Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return {variable: (value, reason)} of an engine's ``caches``; none without a mount."""
    return {name: (f"{INSIDE}/{folder}", WHY) for name, folder in caches.items()} if mounts else {}


def owned(mounts: t.Sequence[str], name: str) -> dict[str, t.Any]:
    """Return {cache: {directory, name}} for the spec of a rank, whose supervisor notes there that kernels are compiled.

    Empty without a mount. ``name`` is that of the deployment, or of Ray's members.
    """
    return {"cache": {"directory": mounts[0].rpartition(f":{INSIDE}")[0], "name": name}} if mounts else {}
