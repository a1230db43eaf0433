# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Folders of compiled kernels on a node: whose they are, when they last served, how large they are, and which may go.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A folder as plain data: {path, bytes, ready: {deployment: seconds since 1970}}; ``ready`` says who became ready with it and
when, as the rank supervisor notes it (roles/node_tools/files/rank_budget.py). One without a note belongs to nobody, by the
time of the folder itself.
"""

from __future__ import annotations

import os
import re
import typing as t

#: Names of folders that are ours: hash of the image, kind of GPU (plugin_utils/_kernel_cache.py).
OURS = re.compile(r"[0-9a-f]{12}-.+")

#: As in rank_budget.py.
MARK = ".ready-"

#: Folders without a note have this owner.
NOBODY = ""

Folder = dict[str, t.Any]


def look(directory: str) -> list[Folder]:
    """Return our folders below a directory, sorted by path; none where it does not exist. Raises OSError."""
    return [
        {"path": path, "bytes": size(path), "ready": marks or {NOBODY: os.lstat(path).st_mtime}}
        for path, marks in ready(directory).items()
    ]


def ready(directory: str) -> dict[str, dict[str, float]]:
    """Return {path of a folder of ours: {deployment that became ready with it: when}}. Raises OSError."""
    try:
        entries = sorted(os.scandir(directory), key=lambda one: one.name)
    except FileNotFoundError:
        return {}
    return {
        entry.path: {
            one.name[len(MARK) :]: one.stat(follow_symlinks=False).st_mtime
            for one in os.scandir(entry.path)
            if one.name.startswith(MARK)
        }
        for entry in entries
        if OURS.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
    }


def size(path: str) -> int:
    """Return what a folder takes of its disk, bytes. What vanishes meanwhile counts for nothing."""
    total = 0
    for folder, _folders, files in os.walk(path):
        for name in files:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                continue
    return total


def mounted(containers: t.Iterable[t.Mapping[str, t.Any]]) -> set[str]:
    """Return the paths of the node that containers use which have not ended, from Docker's list of all of them."""
    alive = [one for one in containers if one.get("State") not in ("exited", "dead")]
    return {str(mount.get("Source", "")) for one in alive for mount in one.get("Mounts") or []}


def choose(folders: t.Sequence[Folder], used: t.Collection[str], keep: int) -> list[Folder]:
    """Return the folders that may go: not used, and not among the ``keep`` newest unused ones of any deployment."""
    unused = [one for one in folders if one["path"] not in used]
    kept: set[str] = set()
    for owner in {name for one in unused for name in one["ready"]}:
        having = [one for one in unused if owner in one["ready"]]
        having.sort(key=lambda one: (-one["ready"][owner], one["path"]))
        kept |= {one["path"] for one in having[:keep]}
    return [one for one in unused if one["path"] not in kept]


def line(folder: Folder) -> str:
    """Return a folder for people."""
    owners = ", ".join(sorted(name for name in folder["ready"] if name)) or "no deployment that became ready"
    return f"{folder['path']}: {folder['bytes'] / (1 << 30):.2f} GiB, of {owners}"
