# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests of model directories: what files there are, their hashes, and what differs from a manifest.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Words: a *manifest* is ``{relative path: {"size": bytes, "sha256": hex}}``. A *seal* is a file outside of the model that
keeps the hashes with size, mtime in ns and inode of each file at the time of hashing, so that an unchanged file is not
read again. Paths with a component that begins with a dot (caches of download tools) are not part of a model.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import struct
import tarfile
import tempfile
import time
import typing as t

Manifest = dict[str, dict[str, t.Any]]
Seal = dict[str, dict[str, t.Any]]

CHUNK_BYTES = 1 << 22

#: Hashing is bound by one core per file (about 1.5 GB/s with SHA instructions) and then by the disk.
MAX_THREADS = 8

#: The first bytes of a Git LFS pointer, which is what a clone without LFS leaves in place of the weights.
LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class ModelError(Exception):
    """The directory or archive holds no usable model; the text says why."""


@dataclasses.dataclass
class Hashed:
    """What hashing a directory gave. ``pending`` files were left for the next call when the time was over."""

    manifest: Manifest
    seal: Seal
    read_files: int
    read_bytes: int
    pending: list[str]
    pending_bytes: int


def stamps(directory: str) -> dict[str, dict[str, int]]:
    """Return {relative path: {size, mtime_ns, inode}} of the model's files; links are followed. Raises ModelError."""
    base = pathlib.Path(directory)
    if not base.is_dir():
        raise ModelError(f"{directory} does not exist or is no directory")
    found: dict[str, dict[str, int]] = {}
    for folder, folders, names in os.walk(base, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.startswith(".") or not os.path.isfile(path):
                continue
            stat = os.stat(path)
            found[os.path.relpath(path, base)] = {
                "size": stat.st_size,
                "mtime_ns": stat.st_mtime_ns,
                "inode": stat.st_ino,
            }
    return found


def read_seal(path: str) -> Seal:
    """Return the seal; empty when there is none or it cannot be read, as it is only a cache."""
    try:
        return dict(json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write_seal(path: str, seal: Seal) -> None:
    """Write the seal atomically. Raises OSError."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".seal-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({"files": seal}, stream, indent=1, sort_keys=True)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def hashed(
    directory: str,
    seal: Seal,
    full_round: str | None = None,
    budget_seconds: float | None = None,
    now: t.Callable[[], float] = time.time,
) -> Hashed:
    """Hash what the seal does not cover: new files and those with another size, mtime or inode.

    With ``full_round``, only what was hashed in the round of that name is covered, so that a full check can go on where
    the last call stopped. No file is begun after ``budget_seconds``; the rest is ``pending``, in neither manifest nor
    seal.
    """
    files = stamps(directory)
    kept = {path: seal[path] for path, stamp in files.items() if _covers(seal.get(path), stamp, full_round)}
    wanted = [path for path in files if path not in kept]
    deadline = None if budget_seconds is None else now() + budget_seconds

    def work(path: str) -> tuple[str, dict[str, t.Any] | None]:
        if deadline is not None and now() >= deadline:
            return path, None
        digest = file_sha256(os.path.join(directory, path))
        return path, {**files[path], "sha256": digest, "at": int(now()), "round": full_round or ""}

    with concurrent.futures.ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        done = {path: entry for path, entry in pool.map(work, wanted) if entry is not None}
    pending = [path for path in wanted if path not in done]
    sealed = {**kept, **done}
    return Hashed(
        manifest={path: {"size": entry["size"], "sha256": entry["sha256"]} for path, entry in sorted(sealed.items())},
        seal=sealed,
        read_files=len(done),
        read_bytes=sum(entry["size"] for entry in done.values()),
        pending=pending,
        pending_bytes=sum(files[path]["size"] for path in pending),
    )


def file_sha256(path: str) -> str:
    """Return the SHA-256 of a file in hex."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        while True:
            chunk = stream.read(CHUNK_BYTES)
            if not chunk:
                return digest.hexdigest()
            digest.update(chunk)


def differences(manifest: Manifest, expected: Manifest) -> list[dict[str, t.Any]]:
    """Return [{path, problem, observed, expected}] sorted by path; problem is missing, extra, size or content."""
    found: list[dict[str, t.Any]] = []
    for path in sorted({*manifest, *expected}):
        seen, wanted = manifest.get(path), expected.get(path)
        if seen is None:
            found.append(_difference(path, "missing", None, wanted))
        elif wanted is None:
            found.append(_difference(path, "extra", seen, None))
        elif seen["size"] != wanted["size"]:
            found.append(_difference(path, "size", seen, wanted))
        elif seen["sha256"] != wanted["sha256"]:
            found.append(_difference(path, "content", seen, wanted))
    return found


def structure(directory: str) -> list[str]:
    """Return what makes the directory no complete model, without reading the weights.

    Looks at ``config.json``, the shards that the weights' index names, the length that each safetensors file says of
    itself (which finds truncated ones), and Git LFS pointers.
    """
    base = pathlib.Path(directory)
    if not base.is_dir():
        return [f"{directory} does not exist or is no directory"]
    problems = [] if _json(base / "config.json") else ["config.json is missing or no JSON object"]
    shards = {path.name for path in base.glob("*.safetensors")}
    for index in base.glob("*.safetensors.index.json"):
        named = set((_json(index).get("weight_map") or {}).values())
        problems += [f"{name} is missing, {index.name} names it" for name in sorted(named - shards)]
    for name in sorted(shards):
        problem = _safetensors_problem(base / name)
        problems += [f"{name} {problem}"] if problem else []
    return problems


def configuration(directory: str) -> dict[str, t.Any]:
    """Return ``config.json`` of the model; empty when there is none."""
    return _json(pathlib.Path(directory) / "config.json")


def unpack(archive: str, directory: str) -> bool:
    """Unpack a tarball of a model into ``directory`` unless that was done already; returns whether it was done now.

    The model may lie in a folder of the archive: the one that holds ``config.json``. Only regular files are taken. What
    stood in ``directory`` before is removed. Raises ModelError.
    """
    try:
        stat = os.stat(archive)
    except OSError as error:
        raise ModelError(f"{archive}: {error.strerror}") from None
    mark = pathlib.Path(directory) / ".unpacked.json"
    identity = {"archive": archive, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    if _json(mark) == identity:
        return False
    shutil.rmtree(directory, ignore_errors=True)
    try:
        with tarfile.open(archive) as opened:
            members = [member for member in opened if member.isfile()]
            folders = [os.path.dirname(one.name) for one in members if os.path.basename(one.name) == "config.json"]
            if not folders:
                raise ModelError(f"{archive} holds no config.json")
            top = min(folders, key=len)
            for member in members:
                _unpack_member(opened, member, top, directory)
    except (tarfile.TarError, EOFError) as error:
        raise ModelError(f"{archive} is no usable tarball: {error}") from None
    mark.write_text(json.dumps(identity), encoding="utf-8")
    return True


def _unpack_member(opened: tarfile.TarFile, member: tarfile.TarInfo, top: str, directory: str) -> None:
    relative = os.path.relpath(os.path.normpath(member.name), os.path.normpath(top))
    if relative.startswith("..") or os.path.isabs(relative):
        return
    path = os.path.join(directory, relative)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    source = opened.extractfile(member)
    if source is None:
        return
    with open(path, "wb") as target:
        while True:
            chunk = source.read(CHUNK_BYTES)
            if not chunk:
                break
            target.write(chunk)


def _covers(sealed: dict[str, t.Any] | None, stamp: dict[str, int], full_round: str | None) -> bool:
    if sealed is None or any(sealed.get(key) != stamp[key] for key in ("size", "mtime_ns", "inode")):
        return False
    return full_round is None or (full_round != "" and sealed.get("round") == full_round)


def _difference(path: str, problem: str, seen: t.Any, wanted: t.Any) -> dict[str, t.Any]:
    return {"path": path, "problem": problem, "observed": seen, "expected": wanted}


def _json(path: pathlib.Path) -> dict[str, t.Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _safetensors_problem(path: pathlib.Path) -> str:
    """The format: 8 bytes little-endian length of the header, the header in JSON, the tensors."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        start = stream.read(8)
        if start == LFS_POINTER[:8]:
            return "is a Git LFS pointer, not the weights; fetch them with git lfs pull"
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else size
        if 8 + length > size:
            return f"is truncated: {size} bytes"
        try:
            header = json.loads(stream.read(length))
        except ValueError:
            return "has a broken header"
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    wanted = 8 + length + max(ends, default=0)
    return "" if size == wanted else f"has {size} bytes, its header says {wanted}"
