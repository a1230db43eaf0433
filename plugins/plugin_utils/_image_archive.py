# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images as tarballs on the controller, and which images a node still needs.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
import typing as t

#: A repository with an optional registry and port, and a tag.
NAME = re.compile(r"[a-z0-9][a-z0-9._:/-]*[a-z0-9]:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

#: Free space that must be left after an image came in.
RESERVE_BYTES = 1 << 30


class ArchiveError(Exception):
    """The file is no image archive; the text says why."""


def describe(path: str) -> dict[str, t.Any]:
    """Return ``{id, ids, tags, size_bytes}`` of the one image in a ``docker save`` archive, without reading its layers.

    ``id`` is ``sha256:`` + the digest of the image's configuration: Docker's image id. ``ids`` also holds the digests
    of the archive's index, which are the ids where Docker keeps images in containerd. Raises :class:`ArchiveError`.
    """
    try:
        # "r:" refuses compression: a compressed archive has no random access, so that reading its id takes minutes.
        with tarfile.open(path, "r:") as archive:
            names = {member.name: member for member in archive}
            manifests = _member(archive, names, "manifest.json")
            index = _member(archive, names, "index.json") if "index.json" in names else {}
    except FileNotFoundError:
        raise ArchiveError(f"{path} does not exist on the controller") from None
    except tarfile.ReadError:
        raise ArchiveError(f"{path} is no uncompressed tar archive; write it with docker save, or unpack it") from None
    except (OSError, ValueError, KeyError) as error:
        raise ArchiveError(f"{path} is no image archive: {error}") from None
    if not isinstance(manifests, list) or len(manifests) != 1:
        raise ArchiveError(f"{path} must hold exactly one image; save one image per archive")
    digest = manifests[0]["Config"].rpartition("/")[2].removesuffix(".json")
    identity = f"sha256:{digest}"
    if not DIGEST.fullmatch(identity):
        raise ArchiveError(f"{path} names no image configuration")
    return {
        "id": identity,
        "ids": [identity, *(entry["digest"] for entry in index.get("manifests", []))],
        "tags": manifests[0].get("RepoTags") or [],
        "size_bytes": os.path.getsize(path),
    }


def plan(
    images: list[dict[str, t.Any]], present: dict[str, str], disk_free_bytes: dict[str, int]
) -> dict[str, list[t.Any]]:
    """Return ``{mistakes, pull, load, expect}`` for the wanted images ``[{name, digest, archive}]`` of one node.

    ``present`` maps references and ids to the image ids of the node. ``pull`` and ``load`` hold only what is missing:
    ``{name, reference}`` and ``{name, archive, id}``. ``expect`` is what the node must have in the end:
    ``{name, ids, reference}``, one of the ids (none means any), and the image of the reference if there is one.
    """
    mistakes: list[str] = []
    pull: list[dict[str, str]] = []
    load: list[dict[str, str]] = []
    expect: list[dict[str, t.Any]] = []
    incoming = 0
    for image in images:
        name, digest, archive = image["name"], image.get("digest"), image.get("archive")
        wrong = _mistake(name, digest)
        if wrong:
            mistakes.append(wrong)
        elif archive:
            try:
                described = describe(archive)
            except ArchiveError as error:
                mistakes.append(f"container_runtime_images: {name}: {error}.")
                continue
            if name not in described["tags"]:
                holds = ", ".join(described["tags"]) or "no name"
                mistakes.append(f"container_runtime_images: {name}: {archive} holds {holds}; write that name.")
                continue
            expect.append({"name": name, "ids": described["ids"], "reference": ""})
            if present.get(name) not in described["ids"]:
                load.append({"name": name, "archive": archive, "id": described["id"]})
                # Once as a file and once as layers.
                incoming += 2 * described["size_bytes"]
        else:
            reference = f"{_repository(name)}@{digest}" if digest else name
            expect.append({"name": name, "ids": [], "reference": reference if digest else ""})
            if reference not in present or present.get(name) != present[reference]:
                pull.append({"name": name, "reference": reference})
    free = min(disk_free_bytes.values(), default=None)
    if load and free is not None and free < incoming + RESERVE_BYTES:
        mistakes.append(
            f"container_runtime_images: the archives need {incoming / 2**30:.1f} GiB and 1 GiB to spare, but "
            f"{free / 2**30:.1f} GiB are free; make room."
        )
    return {"mistakes": mistakes, "pull": pull, "load": load, "expect": expect}


def _member(archive: tarfile.TarFile, names: dict[str, tarfile.TarInfo], name: str) -> t.Any:
    if name not in names:
        raise ValueError(f"it has no {name}")
    stream = archive.extractfile(names[name])
    if stream is None:
        raise ValueError(f"its {name} is no file")
    return json.load(stream)


def _mistake(name: str, digest: str | None) -> str:
    if not NAME.fullmatch(name) or "/" in name.rpartition(":")[2]:
        return f"container_runtime_images: {name!r} is no image name with a tag; write repository/image:tag."
    if name.endswith(":latest"):
        return f"container_runtime_images: {name} changes under your feet; write a tag that stays, and its digest."
    if digest and not DIGEST.fullmatch(digest):
        return f"container_runtime_images: {name}: the digest {digest!r} is not sha256: and 64 hex digits."
    return ""


def _repository(name: str) -> str:
    return name.rpartition(":")[0]
