# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small model in a directory, for the tests of the model store."""

from __future__ import annotations

import json
import pathlib
import struct

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def shard(name: str, size: int) -> bytes:
    """Return a safetensors file with one tensor of ``size`` bytes."""
    header = json.dumps({"__metadata__": {}, name: {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    return struct.pack("<Q", len(header)) + header.encode() + b"w" * size


def make(directory: pathlib.Path) -> pathlib.Path:
    """Write a model of two shards, an index, a configuration and a file in a folder."""
    (directory / "assets").mkdir(parents=True)
    (directory / ".cache").mkdir()
    (directory / ".cache/download.json").write_text("{}", encoding="utf-8")
    (directory / ".gitattributes").write_text("", encoding="utf-8")
    (directory / "config.json").write_text(json.dumps({"model_type": "deepseek_v3"}), encoding="utf-8")
    (directory / "assets/logo.txt").write_text("logo", encoding="utf-8")
    weight_map = {name: name for name in SHARDS}
    (directory / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}), encoding="utf-8")
    for name in SHARDS:
        (directory / name).write_bytes(shard(name, 1000))
    return directory
