# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare wanted files and directories with those on the node, and write the difference atomically.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import grp
import hashlib
import json
import os
import pwd
import shutil
import stat
import tempfile
import typing as t

#: The suffix under which the first foreign version of a file is kept.
KEPT_SUFFIX = ".before-gpufleet"

#: Where foreign files are kept before they are replaced: configuration that a person may have written.
KEPT_UNDER = "/etc/"

#: Every path without a secret that file_set ever handled on this node: node_facts reads what stands there.
REGISTRY = "/var/lib/gpufleet/paths.json"


@dataclasses.dataclass(frozen=True)
class Wish:
    """One wanted path. ``content`` is None for a directory and for an absent path.

    ``shared``: others write files of this name, too, so that it is forgotten once it is absent.
    """

    path: str
    content: str | None
    mode: int
    owner: str
    group: str
    present: bool
    directory: bool
    secret: bool
    shared: bool = False


@dataclasses.dataclass(frozen=True)
class Seen:
    """What stands at a path now. ``content`` is None when there is no regular file."""

    exists: bool
    content: str | None = None
    mode: int | None = None
    owner: str | None = None
    group: str | None = None
    directory: bool = False


def look(path: str) -> Seen:
    """Read what stands at ``path``; a link is followed, even one to nowhere exists, an unreadable file raises OSError."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return Seen(exists=os.path.islink(path))
    directory = stat.S_ISDIR(found.st_mode)
    content = None
    if stat.S_ISREG(found.st_mode):
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            content = stream.read()
    return Seen(
        exists=True,
        content=content,
        mode=stat.S_IMODE(found.st_mode),
        owner=_user_name(found.st_uid),
        group=_group_name(found.st_gid),
        directory=directory,
    )


def reason(wish: Wish, seen: Seen) -> str:
    """Return why ``seen`` is not what ``wish`` wants; empty when nothing is to do."""
    if not wish.present:
        return "is to be removed" if seen.exists else ""
    if not seen.exists:
        return "is missing"
    if wish.directory != seen.directory:
        return "is a directory" if seen.directory else "is not a directory"
    if not wish.directory and seen.content != wish.content:
        return "has other content"
    if seen.mode != wish.mode:
        return f"has mode {seen.mode or 0:04o}, wanted {wish.mode:04o}"
    if (seen.owner, seen.group) != (wish.owner, wish.group):
        return f"belongs to {seen.owner}:{seen.group}, wanted {wish.owner}:{wish.group}"
    return ""


def difference(wish: Wish, seen: Seen) -> dict[str, str]:
    """Return the diff of one path in Ansible's form; the content of a secret is never shown."""
    header = f"{wish.path} ({reason(wish, seen)})"
    if wish.secret:
        return {"before_header": header, "after_header": wish.path, "before": "", "after": "(secret, not shown)\n"}
    before, after = _as_text(seen), ""
    if wish.present:
        after = wish.content if wish.content is not None else f"directory {wish.mode:04o} {wish.owner}:{wish.group}\n"
    if before == after:
        before = f"mode {seen.mode or 0:04o} {seen.owner}:{seen.group}\n"
        after = f"mode {wish.mode:04o} {wish.owner}:{wish.group}\n"
    return {"before_header": header, "after_header": wish.path, "before": before, "after": after}


def apply(wish: Wish, seen: Seen, kept_under: str = KEPT_UNDER) -> str | None:
    """Make ``wish`` true. Returns the path under which a foreign file was kept, if one was."""
    if not wish.present:
        if seen.directory:
            shutil.rmtree(wish.path)
        else:
            os.unlink(wish.path)
        return None
    if wish.directory:
        os.makedirs(wish.path, exist_ok=True)
        _own(wish.path, wish)
        return None
    kept = _keep(wish, seen) if wish.path.startswith(kept_under) and not wish.secret else None
    os.makedirs(os.path.dirname(wish.path), mode=0o755, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(wish.path), prefix=".gpufleet-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            stream.write(wish.content or "")
            stream.flush()
            os.fsync(stream.fileno())
        _own(temporary, wish)
        os.replace(temporary, wish.path)
    except BaseException:
        os.unlink(temporary)
        raise
    return kept


def registered() -> list[str]:
    """Return the paths of the registry; none when it is missing or broken, as file_set then looks by itself."""
    try:
        with open(REGISTRY, encoding="utf-8") as stream:
            paths = json.load(stream)
    except (OSError, ValueError):
        return []
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []


def register(wishes: t.Sequence[Wish]) -> None:
    """Add the paths to the registry; those with a secret and shared ones that are absent leave it. Raises OSError."""
    before = set(registered())
    leaving = {wish.path for wish in wishes if wish.secret or (wish.shared and not wish.present)}
    paths = before.union(wish.path for wish in wishes) - leaving
    if paths != before:
        text = json.dumps(sorted(paths), indent=0) + "\n"
        owner, group = _user_name(os.geteuid()), _group_name(os.getegid())
        apply(
            Wish(REGISTRY, text, 0o600, owner, group, present=True, directory=False, secret=False), Seen(exists=False)
        )


def states() -> dict[str, dict[str, t.Any]]:
    """Return ``{path: state}`` of all registered paths; what cannot be read is left out.

    A state has ``kind`` (``file``, ``directory`` or ``absent``) and, unless absent, ``mode`` ("0644"), ``owner``, ``group``
    and, of a file, ``sha256``.
    """
    found: dict[str, dict[str, t.Any]] = {}
    for path in registered():
        try:
            seen = look(path)
        except OSError:
            continue
        if not seen.exists:
            found[path] = {"kind": "absent"}
        elif seen.directory or seen.content is not None:
            found[path] = {
                "kind": "directory" if seen.directory else "file",
                "mode": f"{seen.mode or 0:04o}",
                "owner": seen.owner,
                "group": seen.group,
            }
            if seen.content is not None:
                content = seen.content.encode("utf-8", "surrogateescape")
                found[path]["sha256"] = hashlib.sha256(content).hexdigest()
    return found


def _keep(wish: Wish, seen: Seen) -> str | None:
    """Keep the first foreign version of a file: one that does not carry our name and has not been kept yet."""
    kept = wish.path + KEPT_SUFFIX
    if seen.content is None or "gpufleet" in seen.content or os.path.exists(kept):
        return None
    if seen.content == wish.content:
        return None
    shutil.copy2(wish.path, kept)
    return kept


def _own(path: str, wish: Wish) -> None:
    os.chown(path, pwd.getpwnam(wish.owner).pw_uid, grp.getgrnam(wish.group).gr_gid)
    os.chmod(path, wish.mode)


def _as_text(seen: Seen) -> str:
    if not seen.exists:
        return ""
    return seen.content if seen.content is not None else f"directory {seen.mode or 0:04o} {seen.owner}:{seen.group}\n"


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
