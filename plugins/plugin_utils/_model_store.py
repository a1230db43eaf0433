# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which models lie where, and what must be sent to make a node's copy good: pure functions on plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import tarfile
import typing as t

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

#: Free space that must be left after a model came in.
RESERVE_BYTES = 1 << 30

Model = dict[str, t.Any]


def mistakes(models: list[Model]) -> list[str]:
    """Return every mistake of the wishes, with a look at the sources on this machine."""
    found: list[str] = []
    names = [model["name"] for model in models]
    for name in sorted({name for name in names if names.count(name) > 1}):
        found.append(f"model_store_models: {name} is declared twice; give each model its own name.")
    for model in models:
        name, source = model["name"], model.get("source")
        where = f"model_store_models: {name}"
        if not NAME.fullmatch(name):
            found.append(f"{where}: the name becomes a directory; write letters, digits, dots, dashes, underscores.")
        if model.get("directory") and not model["directory"].startswith("/"):
            found.append(f"{where}: directory {model['directory']!r} is no absolute path.")
        if not source:
            continue
        if not os.path.exists(source):
            found.append(f"{where}: source {source} does not exist on the controller; write a directory or a tarball.")
        elif os.path.isdir(source):
            if not os.path.isfile(os.path.join(source, "config.json")):
                found.append(f"{where}: source {source} has no config.json; write the directory that holds it.")
        elif not tarfile.is_tarfile(source):
            found.append(f"{where}: source {source} is neither a directory nor a tarball.")
    return found


def sources(models: list[Model]) -> list[Model]:
    """Return what the controller makes manifests of: ``[{name, directory, archive, seal}]``.

    A tarball is unpacked beside itself; the seal lies beside the model, hidden.
    """
    found: list[Model] = []
    for model in models:
        if not model.get("source"):
            continue
        source = os.path.normpath(model["source"])
        archive = None if os.path.isdir(source) else source
        folder, name = os.path.split(source)
        directory = os.path.join(folder, f".{name}.unpacked") if archive else source
        seal = os.path.join(folder, f".{name}.seal.json")
        found.append({"name": model["name"], "directory": directory, "archive": archive, "seal": seal})
    return found


def directory(model: Model, store: str) -> str:
    """Return where the model lies on a node."""
    return model.get("directory") or os.path.join(store, model["name"])


def copies(models: list[Model], store: str, seals: str, made: dict[str, Model]) -> list[Model]:
    """Return what a node checks: ``[{name, directory, seal, expected}]``; ``made`` is by name what sources gave."""
    return [
        {
            "name": model["name"],
            "directory": directory(model, store),
            "seal": os.path.join(seals, f"{model['name']}.json"),
            "expected": made[model["name"]]["manifest"] if model["name"] in made else None,
        }
        for model in models
    ]


def repairs(made: dict[str, Model], found: dict[str, Model], disk_free_bytes: dict[str, int]) -> dict[str, list[t.Any]]:
    """Return ``{send: [{src, dest}], directories: [{path}], remove: [path], mistakes: [text]}`` for one node.

    ``made`` and ``found`` are by name what the module ``model_manifest`` said of the sources and of the node's copies.
    """
    send: list[dict[str, str]] = []
    remove: list[str] = []
    folders: set[str] = set()
    incoming = 0
    for name, copy in found.items():
        for bad in copy["bad"]:
            dest = os.path.join(copy["directory"], bad["path"])
            if bad["problem"] == "extra":
                remove.append(dest)
                continue
            send.append({"src": os.path.join(made[name]["directory"], bad["path"]), "dest": dest})
            # A file that is there is replaced after the new one is whole.
            incoming += bad["expected"]["size"]
            folders |= {copy["directory"], os.path.dirname(dest)}
    free = disk_free_bytes.get("/var/lib", disk_free_bytes.get("/"))
    problems = []
    if send and free is not None and free < incoming + RESERVE_BYTES:
        problems.append(
            f"model_store_models: {incoming / 2**30:.1f} GiB must be sent and 1 GiB left over, but "
            f"{free / 2**30:.1f} GiB are free; make room or set model_store_directory."
        )
    return {
        "send": send,
        "directories": [{"path": path} for path in sorted(folders)],
        "remove": remove,
        "mistakes": problems,
    }
