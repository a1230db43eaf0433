# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages that lie in a directory: which there are, and the index with which apt takes them as a source.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import pathlib
import re

from ansible_collections.gpufleet.inference.plugins.module_utils._candidates import Candidates, Unavailable
from ansible_collections.gpufleet.inference.plugins.module_utils._command import bounded


def sha256(path: pathlib.Path) -> str:
    """Return the SHA-256 of a file, read in pieces: packages are large."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def stanza(control: str, path: pathlib.Path) -> str:
    """Return a package's paragraph of the index: its control fields and where it lies."""
    return f"{control.strip()}\nFilename: ./{path.name}\nSize: {path.stat().st_size}\nSHA256: {sha256(path)}\n"


def read(directory: str) -> tuple[Candidates, str]:
    """Return (candidates, text of apt's index ``Packages``) of the ``.deb`` files of a directory. Raises Unavailable."""
    found: Candidates = {}
    paragraphs: list[str] = []
    for path in sorted(pathlib.Path(directory).glob("*.deb")):
        shown = bounded(["dpkg-deb", "--field", str(path)], 30)
        if not shown.ok:
            raise Unavailable(f"{path} is no usable package: copy it again. {shown.problem}")
        fields = dict(re.findall(r"^(Package|Version): (.*)$", shown.stdout, re.MULTILINE))
        found.setdefault(fields["Package"], []).append(
            {"version": fields["Version"], "repository": f"file://{directory}", "transitional": False}
        )
        paragraphs.append(stanza(shown.stdout, path))
    return found, "\n".join(paragraphs)
