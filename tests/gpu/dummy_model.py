# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A model directory without weights: config, and a tokenizer with a word for every number of the vocabulary.

An engine that is told ``load_format: dummy`` fills in random weights of the shapes that the config names. What it then
answers is noise, but memory, graphs, processes and messages are those of the real model. Standard library only.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

FOLDER = pathlib.Path(__file__).parent / "models"

CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def config(name: str) -> dict[str, t.Any]:
    """Return the config.json of a model under ``models/``."""
    found: dict[str, t.Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def write(name: str, folder: pathlib.Path) -> None:
    """Write the directory that an engine is pointed at."""
    folder.mkdir(parents=True, exist_ok=True)
    of_model = config(name)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<begin>",
        "eos_token": "<end>",
        "model_max_length": of_model["max_position_embeddings"],
        "chat_template": CHAT_TEMPLATE,
    }
    files = {
        "config.json": of_model,
        "generation_config.json": {"bos_token_id": of_model["bos_token_id"], "eos_token_id": of_model["eos_token_id"]},
        "tokenizer.json": tokenizer(of_model["vocab_size"]),
        "tokenizer_config.json": settings,
    }
    for file, content in files.items():
        (folder / file).write_text(json.dumps(content), encoding="utf-8")


def tokenizer(size: int) -> dict[str, t.Any]:
    """Return a byte-level BPE of ``size`` tokens that merges nothing: two marks, 256 bytes, and words that no text has."""
    special = ["<begin>", "<end>"]
    words = [*special, *alphabet()]
    words += [f"word{number}" for number in range(len(words), size)]
    marks = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": at, "content": word, **marks} for at, word in enumerate(special)],
        "normalizer": None,
        "pre_tokenizer": level,
        "post_processor": None,
        "decoder": level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {word: at for at, word in enumerate(words)},
            "merges": [],
        },
    }


def alphabet() -> list[str]:
    """Return the letter that byte-level BPE writes for each of the 256 bytes: itself where it can be seen, else another."""
    seen = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    unseen = [byte for byte in range(256) if byte not in seen]
    letters = {byte: chr(byte) for byte in seen} | {byte: chr(256 + at) for at, byte in enumerate(unseen)}
    return [letters[byte] for byte in range(256)]
