# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write an image archive as `docker save` does, holding `cat` and its libraries only; the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import typing as t

NAME = "gpufleet-molecule/cat:1.0.0"


def packed(files: t.Iterable[tuple[str, bytes]]) -> bytes:
    """Return an uncompressed tar archive of (path, content)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, content in files:
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def main(path: pathlib.Path) -> None:
    listed = subprocess.run(["ldd", "/bin/cat"], capture_output=True, text=True, check=True).stdout
    paths = ["/bin/cat", *re.findall(r"(/\S+) \(0x", listed)]
    layer = packed((one, pathlib.Path(one).read_bytes()) for one in paths)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [NAME], "Layers": ["layer/layer.tar"]}]
    files = [("layer/layer.tar", layer), (config_name, config), ("manifest.json", json.dumps(manifest).encode())]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(files))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
