# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a model directory says of its model: config, files, and the tensors that the safetensors headers declare.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Only headers are read, some hundred KiB of each file. Equal tensors of a model are one entry, so that the 200,000 of a
model with many experts become some forty::

    {"name": "model.layers.*.mlp.experts.*.up_proj.weight", "dtype": "F8_E4M3", "shape": [2048, 7168],
     "bytes": 14680064, "layers": [[3, 60]], "each": 256}
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import re
import struct
import typing as t

#: The longest header that safetensors itself accepts.
MOST_HEADER_BYTES = 100_000_000

#: Words before the number of a layer in the names of tensors.
LAYER_WORDS = ("layers", "h")

#: Weights in other formats, whose bytes are counted and whose insides are not read.
OTHER_WEIGHTS = ("*.bin", "*.pth", "*.gguf")

Entry = dict[str, t.Any]


class HeaderError(Exception):
    """A file is no readable safetensors file; the text says why."""


def read(directory: str) -> dict[str, t.Any]:
    """Return {directory, config, chat_template, tensors, bytes, files, format, problem}.

    ``bytes`` is of the files that the index names, or of all weights without an index; when they are not there yet, what
    the index declares. ``tensors`` is empty, and ``problem`` says why, unless every header could be read.
    """
    base = pathlib.Path(directory)
    found: dict[str, t.Any] = {
        "directory": directory,
        "config": configuration(base),
        "chat_template": chat_template(base),
        "tensors": [],
        "bytes": 0,
        "files": 0,
        "format": "",
        "problem": "",
    }
    if not found["config"]:
        found["problem"] = f"{directory} has no readable config.json"
        return found
    index = _json(base / "model.safetensors.index.json")
    paths = shards(base, index)
    if not paths:
        others = sorted(path for pattern in OTHER_WEIGHTS for path in base.glob(pattern))
        found["format"] = others[0].suffix[1:] if others else ""
        found["files"] = len(others)
        found["bytes"] = sum(path.stat().st_size for path in others)
        found["problem"] = "" if others else f"{directory} holds no weights"
        return found
    found.update(format="safetensors", files=len(paths))
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        found["bytes"] = int((index.get("metadata") or {}).get("total_size") or 0)
        found["problem"] = f"{len(missing)} of {len(paths)} files are missing, {missing[0]} for example"
        return found
    found["bytes"] = sum(path.stat().st_size for path in paths)
    try:
        found["tensors"] = grouped(entry for path in paths for entry in header(path).items())
    except (HeaderError, OSError) as error:
        found["problem"] = str(error)
    return found


def chat_template(base: pathlib.Path) -> str:
    """Return the model's chat template, of a file of its own or of the tokenizer's configuration; empty when it has none."""
    try:
        return (base / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        found = _json(base / "tokenizer_config.json").get("chat_template")
    if isinstance(found, list):
        # Several by name; engines take the one that is called so.
        named = {one.get("name"): one.get("template") for one in found if isinstance(one, dict)}
        found = named.get("default")
    return found if isinstance(found, str) else ""


def configuration(base: pathlib.Path) -> dict[str, t.Any]:
    """Return config.json, with the quantisation that ModelOpt keeps in a file of its own."""
    config = _json(base / "config.json")
    modelopt = _json(base / "hf_quant_config.json").get("quantization")
    if config and isinstance(modelopt, dict) and not config.get("quantization_config"):
        config["quantization_config"] = dict(modelopt, quant_method="modelopt")
    return config


def shards(base: pathlib.Path, index: dict[str, t.Any]) -> list[pathlib.Path]:
    """Return the files that the index names; without one, all but a second copy of the model in one piece."""
    named = sorted(set((index.get("weight_map") or {}).values()))
    if named:
        return [base / str(name) for name in named]
    present = sorted(base.glob("*.safetensors"))
    sharded = [path for path in present if not path.name.startswith("consolidated")]
    return sharded or present


def header(path: pathlib.Path) -> dict[str, Entry]:
    """Return {tensor: {dtype, shape, data_offsets}} of a safetensors file. Raises HeaderError, OSError."""
    with open(path, "rb") as stream:
        start = stream.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(MOST_HEADER_BYTES, os.path.getsize(path)):
            raise HeaderError(f"{path.name} does not begin with a safetensors header")
        try:
            value = json.loads(stream.read(length))
        except ValueError:
            raise HeaderError(f"{path.name} has a header that is no JSON") from None
    if not isinstance(value, dict):
        raise HeaderError(f"{path.name} has a header that is no JSON object")
    return {name: entry for name, entry in value.items() if name != "__metadata__"}


def grouped(entries: t.Iterable[tuple[str, Entry]]) -> list[dict[str, t.Any]]:
    """Return equal tensors as one entry: same name but for numbers, same type and shape, same count in each layer."""
    counts: dict[tuple[str, str, tuple[int, ...], int], dict[int, int]] = {}
    for name, entry in entries:
        pattern, layer = patterned(name)
        try:
            size = int(entry["data_offsets"][1]) - int(entry["data_offsets"][0])
            key = (pattern, str(entry["dtype"]), tuple(int(one) for one in entry["shape"]), size)
        except (KeyError, IndexError, TypeError, ValueError):
            raise HeaderError(f"the tensor {name} is not described as safetensors does") from None
        layers = counts.setdefault(key, collections.defaultdict(int))
        layers[layer] += 1
    found = []
    for (pattern, dtype, shape, size), layers in sorted(counts.items()):
        for each in sorted(set(layers.values())):
            having = sorted(layer for layer, count in layers.items() if count == each)
            found.append(
                {
                    "name": pattern,
                    "dtype": dtype,
                    "shape": list(shape),
                    "bytes": size,
                    "layers": [] if having == [-1] else ranges(having),
                    "each": each,
                }
            )
    return found


def patterned(name: str) -> tuple[str, int]:
    """Return (name with ``*`` for numbers, number of its layer or -1)."""
    parts = name.split(".")
    layer = -1
    for at, part in enumerate(parts):
        if re.fullmatch(r"\d+", part):
            if layer < 0 and at and parts[at - 1] in LAYER_WORDS:
                layer = int(part)
            parts[at] = "*"
    return ".".join(parts), layer


def ranges(numbers: t.Sequence[int]) -> list[list[int]]:
    """Return sorted numbers as [[first, last]], both included."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def _json(path: pathlib.Path) -> dict[str, t.Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
