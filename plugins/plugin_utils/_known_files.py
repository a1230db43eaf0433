# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide on the controller whether wanted files and directories are on the node already.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``known`` is what ``node_facts`` read of the paths that ``file_set`` handled before: ``{path: {kind, mode, owner, group,
sha256}}``. A path that it does not hold, and every secret, must be compared on the node.
"""

from __future__ import annotations

import hashlib
import typing as t

#: Defaults of file_set's options.
OWNERS = {"owner": "root", "group": "root"}
MODES = {"directory": "0755", "file": "0644"}


def differing(
    directories: t.Iterable[t.Mapping[str, t.Any]],
    files: t.Iterable[t.Mapping[str, t.Any]],
    known: t.Mapping[str, t.Mapping[str, t.Any]],
) -> list[str]:
    """Return the paths that are not known to be as wanted; none means that the node need not be asked."""
    wanted = [("directory", item) for item in directories] + [("file", item) for item in files]
    return [item["path"] for kind, item in wanted if item.get("secret") or state(kind, item) != known.get(item["path"])]


def state(kind: str, item: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """Return an item of file_set's ``directories`` or ``files`` as ``node_facts`` would report it; None when it cannot be told."""
    if item.get("state", "present") == "absent":
        return {"kind": "absent"}
    wanted: dict[str, t.Any] = {"kind": kind, "mode": str(item.get("mode", MODES[kind]))}
    wanted.update({name: item.get(name, default) for name, default in OWNERS.items()})
    if kind == "file":
        if item.get("content") is None:
            return None
        wanted["sha256"] = hashlib.sha256(str(item["content"]).encode("utf-8", "surrogateescape")).hexdigest()
    return wanted
