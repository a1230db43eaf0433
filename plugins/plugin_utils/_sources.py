# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at what the controller is to send to nodes: model directories and archives, image archives.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import os
import pathlib
import tarfile
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _image_archive

CONFIG = "config.json"


def models(wishes: t.Sequence[t.Mapping[str, t.Any]], directory: str) -> dict[str, dict[str, t.Any]]:
    """Return {name: {directory, kind, config, bytes, problem}} of the items of ``model_store_models``."""
    seen: dict[str, dict[str, t.Any]] = {}
    for wish in wishes:
        there = {"directory": wish.get("directory") or f"{directory}/{wish['name']}"}
        on_node = {"kind": "node", "config": None, "bytes": 0, "problem": ""}
        seen[wish["name"]] = there | (look(wish["source"]) if wish.get("source") else on_node)
    return seen


def images(wishes: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    """Return {name: {archive_problem, identity}} of the items of ``container_runtime_images``.

    ``identity`` changes when the image does: the digest, or the id in the archive; empty when neither is known.
    """
    return {wish["name"]: _image(wish) for wish in wishes}


def _image(wish: t.Mapping[str, t.Any]) -> dict[str, str]:
    if not wish.get("archive"):
        return {"archive_problem": "", "identity": wish.get("digest") or ""}
    try:
        return {"archive_problem": "", "identity": _image_archive.describe(wish["archive"])["id"]}
    except _image_archive.ArchiveError as error:
        return {"archive_problem": f"{error}; make it with docker save, or correct the path", "identity": ""}


def look(source: str) -> dict[str, t.Any]:
    """Return {kind, config, bytes, problem} of a path; ``problem`` is empty when it can be served from."""
    path = pathlib.Path(source)
    seen: dict[str, t.Any] = {"kind": "missing", "config": None, "bytes": 0, "problem": ""}
    if not path.exists():
        return dict(seen, problem=f"{source} does not exist on the controller; correct source")
    if path.is_dir():
        seen["kind"] = "directory"
        try:
            seen["bytes"] = _directory_bytes(path)
        except OSError as error:
            return dict(seen, problem=f"{error.filename} cannot be read: {error.strerror}; repair or remove it")
        text = _text(path / CONFIG)
    else:
        seen |= {"kind": "archive", "bytes": path.stat().st_size}
        if not tarfile.is_tarfile(path):
            return dict(seen, problem=f"{source} is neither a directory nor a tar archive")
        if path.suffix in (".gz", ".xz", ".bz2", ".zst", ".tgz"):
            return seen
        text = _member(path)
    if text is None:
        return dict(seen, problem=f"{source} has no {CONFIG}; point source at the folder that holds it")
    try:
        return dict(seen, config=json.loads(text))
    except ValueError as error:
        return dict(seen, problem=f"{CONFIG} in {source} is not JSON: {error}")


def _directory_bytes(path: pathlib.Path) -> int:
    return sum(os.stat(os.path.join(folder, name)).st_size for folder, _below, names in os.walk(path) for name in names)


def _text(path: pathlib.Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _member(path: pathlib.Path) -> str | None:
    with tarfile.open(path) as archive:
        for member in archive:
            if pathlib.PurePosixPath(member.name).name == CONFIG:
                stream = archive.extractfile(member)
                return stream.read().decode("utf-8", "replace") if stream else None
    return None
