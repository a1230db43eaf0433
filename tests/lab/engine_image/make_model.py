# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs in the engine image only, where its imports are.
# mypy: disable-error-code="import-not-found"

"""Make tiny, randomly initialised models. Runs inside the engine image.

``python make_model.py FOLDER NAME...``: in FOLDER/NAME config, weights in two shards, tokenizer, chat template. The same
bytes every time.
"""

from __future__ import annotations

import json
import math
import pathlib
import re
import sys
import typing as t

import torch
from model_shapes import CONFIGS, VOCABULARY, shapes
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SEED = 20260101
SPACE = "\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}"  # how byte-level BPE writes a space
SPECIAL = ["<|begin|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>", "<think>", "</think>"]
CORPUS = [
    "Hello, how are you today? I am well, thank you, and so are all the others here.",
    "DeepSeek runs across two nodes, with pipeline ranks on a Ray cluster behind one gateway.",
    "The quick brown fox jumps over the lazy dog, and the small engine answers with many random words.",
    "A node, a rank, a plan, a model, an endpoint, a check and a verdict: these words mean one thing each.",
    "Some light rain fell over the green hills while a slow train carried letters from the old harbour town.",
    "Every evening the river turns gold, birds return to their trees, and children count the first bright stars.",
]
#: Logits by which some tokens come more often than one readable word does (about 0), or never.
LEANING = {"</think>": 3.0, "<|end|>": -1.0}
NEVER = -30.0
CHAT_TEMPLATE = (
    "{{ '<|begin|>' }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def weights(config: dict[str, t.Any], leanings: list[float]) -> dict[str, torch.Tensor]:
    """Return random weights whose replies can be read. ``leanings``: one logit per token of the vocabulary.

    Channel 0 of the residual stream is 1 in every embedding and nothing writes to it, so that it carries the leanings
    to the head. What layers write is small: the stream keeps its scale of 1.
    """
    generator = torch.Generator().manual_seed(SEED)
    made = {}
    for name, shape in shapes(config).items():
        if name.endswith("norm.weight"):
            tensor = torch.ones(shape)
        elif name.endswith("e_score_correction_bias"):
            tensor = torch.zeros(shape)
        else:
            tensor = torch.randn(shape, generator=generator) / math.sqrt(shape[-1])
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            tensor *= 0.1
            tensor[0] = 0.0
        if name == "model.embed_tokens.weight":
            tensor *= math.sqrt(shape[-1])
            tensor[:, 0] = 1.0
        if name == "lm_head.weight":
            tensor[:, 0] = torch.tensor(leanings)
        made[name] = tensor if name.endswith("e_score_correction_bias") else tensor.to(torch.bfloat16)
    return made


def leaning(token: str) -> float:
    """Return the logit that a token starts from: whole words may come, pieces and other special tokens never do."""
    words = {SPACE + word for word in re.findall("[A-Za-z]{2,}", " ".join(CORPUS))}
    return 0.0 if token in words else LEANING.get(token, NEVER)


def write_weights(folder: pathlib.Path, config: dict[str, t.Any], leanings: list[float]) -> None:
    """Write two shards and their index, as large checkpoints have."""
    made = weights(config, leanings)
    names = sorted(made)
    index: dict[str, str] = {}
    for number, part in enumerate((names[: len(names) // 2], names[len(names) // 2 :]), start=1):
        shard = f"model-{number:05d}-of-00002.safetensors"
        save_file({name: made[name] for name in part}, folder / shard, metadata={"format": "pt"})
        index.update(dict.fromkeys(part, shard))
    total = sum(tensor.numel() * tensor.element_size() for tensor in made.values())
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": index})


def write_tokenizer(folder: pathlib.Path, longest: int) -> list[str]:
    """Train a byte-level BPE on the corpus, write it, and return its tokens in order."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|begin|>",
        "eos_token": "<|end|>",
        "model_max_length": longest,
        "chat_template": CHAT_TEMPLATE,
    }
    write_json(folder / "tokenizer_config.json", settings)
    return [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]


def write_json(path: pathlib.Path, value: dict[str, t.Any]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def make(folder: pathlib.Path, config: dict[str, t.Any]) -> None:
    """Write one model into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config)
    write_json(folder / "generation_config.json", {"bos_token_id": 0, "eos_token_id": 1, "do_sample": True})
    tokens = write_tokenizer(folder, config["max_position_embeddings"])
    write_weights(folder, config, [leaning(token) for token in tokens])


if __name__ == "__main__":
    for model in sys.argv[2:]:
        make(pathlib.Path(sys.argv[1], model), CONFIGS[model])
