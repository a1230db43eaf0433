# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs in the engine image only, where its imports are.
# mypy: disable-error-code="import-not-found"

"""Make a tiny, randomly initialised model of the DeepSeek-V3 architecture (MLA + MoE). Runs inside the engine image.

``python make_model.py FOLDER``: config, weights in two shards, tokenizer, chat template. The same bytes every time.
"""

from __future__ import annotations

import json
import math
import pathlib
import re
import sys
import typing as t

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SEED = 20260101
VOCABULARY = 512
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
CONFIG: dict[str, t.Any] = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "torch_dtype": "bfloat16",
    "vocab_size": VOCABULARY,
    "hidden_size": 256,
    "intermediate_size": 512,
    "moe_intermediate_size": 128,
    "num_hidden_layers": 4,
    "first_k_dense_replace": 1,
    "moe_layer_freq": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "q_lora_rank": 128,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 64,
    "qk_rope_head_dim": 64,
    "v_head_dim": 64,
    "n_routed_experts": 8,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "n_group": 2,
    "topk_group": 1,
    "topk_method": "noaux_tc",
    "scoring_func": "sigmoid",
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
    "num_nextn_predict_layers": 0,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "max_position_embeddings": 2048,
    "attention_bias": False,
    "attention_dropout": 0.0,
    "tie_word_embeddings": False,
    "use_cache": True,
    "bos_token_id": 0,
    "eos_token_id": 1,
}


def shapes(config: dict[str, t.Any]) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every weight, as a DeepSeek-V3 checkpoint names them."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    nope, rope, value = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    q_rank, kv_rank = config["q_lora_rank"], config["kv_lora_rank"]
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (config["vocab_size"], hidden)}
    for number in range(config["num_hidden_layers"]):
        layer = f"model.layers.{number}"
        attention = {
            "q_a_proj": (q_rank, hidden),
            "q_a_layernorm": (q_rank,),
            "q_b_proj": (heads * (nope + rope), q_rank),
            "kv_a_proj_with_mqa": (kv_rank + rope, hidden),
            "kv_a_layernorm": (kv_rank,),
            "kv_b_proj": (heads * (nope + value), kv_rank),
            "o_proj": (hidden, heads * value),
        }
        found.update({f"{layer}.self_attn.{name}.weight": shape for name, shape in attention.items()})
        found.update({f"{layer}.{name}.weight": (hidden,) for name in ("input_layernorm", "post_attention_layernorm")})
        if number < config["first_k_dense_replace"]:
            found.update(_mlp(f"{layer}.mlp", hidden, config["intermediate_size"]))
            continue
        found[f"{layer}.mlp.gate.weight"] = (config["n_routed_experts"], hidden)
        found[f"{layer}.mlp.gate.e_score_correction_bias"] = (config["n_routed_experts"],)
        for expert in range(config["n_routed_experts"]):
            found.update(_mlp(f"{layer}.mlp.experts.{expert}", hidden, config["moe_intermediate_size"]))
        shared = config["moe_intermediate_size"] * config["n_shared_experts"]
        found.update(_mlp(f"{layer}.mlp.shared_experts", hidden, shared))
    return {**found, "model.norm.weight": (hidden,), "lm_head.weight": (config["vocab_size"], hidden)}


def _mlp(name: str, hidden: int, inner: int) -> dict[str, tuple[int, ...]]:
    wide = {f"{name}.{part}_proj.weight": (inner, hidden) for part in ("gate", "up")}
    return {**wide, f"{name}.down_proj.weight": (hidden, inner)}


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
        elif name.endswith("bias"):
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
        made[name] = tensor if name.endswith("bias") else tensor.to(torch.bfloat16)
    return made


def leaning(token: str) -> float:
    """Return the logit that a token starts from: whole words may come, pieces and other special tokens never do."""
    words = {SPACE + word for word in re.findall("[A-Za-z]{2,}", " ".join(CORPUS))}
    return 0.0 if token in words else LEANING.get(token, NEVER)


def write_weights(folder: pathlib.Path, leanings: list[float]) -> None:
    """Write two shards and their index, as large checkpoints have."""
    made = weights(CONFIG, leanings)
    names = sorted(made)
    index: dict[str, str] = {}
    for number, part in enumerate((names[: len(names) // 2], names[len(names) // 2 :]), start=1):
        shard = f"model-{number:05d}-of-00002.safetensors"
        save_file({name: made[name] for name in part}, folder / shard, metadata={"format": "pt"})
        index.update(dict.fromkeys(part, shard))
    total = sum(tensor.numel() * tensor.element_size() for tensor in made.values())
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": index})


def write_tokenizer(folder: pathlib.Path) -> list[str]:
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
        "model_max_length": CONFIG["max_position_embeddings"],
        "chat_template": CHAT_TEMPLATE,
    }
    write_json(folder / "tokenizer_config.json", settings)
    return [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]


def write_json(path: pathlib.Path, value: dict[str, t.Any]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    write_json(target / "config.json", CONFIG)
    write_json(target / "generation_config.json", {"bos_token_id": 0, "eos_token_id": 1, "do_sample": True})
    write_weights(target, [leaning(token) for token in write_tokenizer(target)])
