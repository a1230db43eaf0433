# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a directory that has the structure of a model, two shards and all, and a tarball of the same."""

from __future__ import annotations

import json
import pathlib
import struct
import sys
import tarfile


def shard(name: str, size: int) -> bytes:
    """Return a safetensors file with one tensor of ``size`` bytes."""
    header = json.dumps({name: {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(number % 251 for number in range(size))


def main(directory: pathlib.Path) -> None:
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    index = {"weight_map": {f"tensor{number}": name for number, name in enumerate(names)}}
    (directory / "extra").mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps({"model_type": "deepseek_v3"}), encoding="utf-8")
    (directory / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    (directory / "extra" / "notes.txt").write_text("a file in a folder", encoding="utf-8")
    for number, name in enumerate(names):
        (directory / name).write_bytes(shard(f"tensor{number}", 100_000))
    with tarfile.open(f"{directory}.tar.gz", "w:gz") as archive:
        archive.add(directory, arcname="model")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
