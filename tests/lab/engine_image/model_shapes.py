# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tiny models of the lab: configuration, and name and shape of every weight, as checkpoints of the architecture have them."""

from __future__ import annotations

import typing as t

VOCABULARY = 512
COMMON: dict[str, t.Any] = {
    "torch_dtype": "bfloat16",
    "vocab_size": VOCABULARY,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "max_position_embeddings": 2048,
    "attention_dropout": 0.0,
    "tie_word_embeddings": False,
    "use_cache": True,
    "bos_token_id": 0,
    "eos_token_id": 1,
}
#: Grouped queries (GQA) and dense layers; the names equal the folders.
LLAMA = {
    **COMMON,
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "num_key_value_heads": 2,
    "head_dim": 64,
}
QWEN2 = {**COMMON, "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "num_key_value_heads": 2}
#: Latent attention (MLA) and experts (MoE) as in DeepSeek-V3 and R1.
DEEPSEEK_V3: dict[str, t.Any] = {
    **COMMON,
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "attention_bias": False,
    "num_key_value_heads": 4,
    "q_lora_rank": 128,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 64,
    "qk_rope_head_dim": 64,
    "v_head_dim": 64,
    "moe_intermediate_size": 128,
    "first_k_dense_replace": 1,
    "moe_layer_freq": 1,
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
}
CONFIGS = {"tiny-deepseek-v3": DEEPSEEK_V3, "tiny-llama": LLAMA, "tiny-qwen2": QWEN2}


def shapes(config: dict[str, t.Any]) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every weight."""
    hidden = config["hidden_size"]
    attention, feed = (_latent, _experts) if config["model_type"] == "deepseek_v3" else (_grouped, _dense)
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (config["vocab_size"], hidden)}
    for number in range(config["num_hidden_layers"]):
        layer = f"model.layers.{number}"
        found.update({f"{layer}.self_attn.{name}": shape for name, shape in attention(config).items()})
        found.update({f"{layer}.{name}.weight": (hidden,) for name in ("input_layernorm", "post_attention_layernorm")})
        found.update({f"{layer}.mlp.{name}": shape for name, shape in feed(config, number).items()})
    return {**found, "model.norm.weight": (hidden,), "lm_head.weight": (config["vocab_size"], hidden)}


def _grouped(config: dict[str, t.Any]) -> dict[str, tuple[int, ...]]:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    per_head = hidden // heads
    rows = {"q_proj": heads * per_head, **dict.fromkeys(("k_proj", "v_proj"), config["num_key_value_heads"] * per_head)}
    biases = {f"{name}.bias": (count,) for name, count in rows.items()} if config["model_type"] == "qwen2" else {}
    weights = {f"{name}.weight": (count, hidden) for name, count in rows.items()}
    return {**weights, **biases, "o_proj.weight": (hidden, heads * per_head)}


def _latent(config: dict[str, t.Any]) -> dict[str, tuple[int, ...]]:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    nope, rope, value = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    q_rank, kv_rank = config["q_lora_rank"], config["kv_lora_rank"]
    return {
        "q_a_proj.weight": (q_rank, hidden),
        "q_a_layernorm.weight": (q_rank,),
        "q_b_proj.weight": (heads * (nope + rope), q_rank),
        "kv_a_proj_with_mqa.weight": (kv_rank + rope, hidden),
        "kv_a_layernorm.weight": (kv_rank,),
        "kv_b_proj.weight": (heads * (nope + value), kv_rank),
        "o_proj.weight": (hidden, heads * value),
    }


def _dense(config: dict[str, t.Any], number: int) -> dict[str, tuple[int, ...]]:
    return _mlp("", config["hidden_size"], config["intermediate_size"])


def _experts(config: dict[str, t.Any], number: int) -> dict[str, tuple[int, ...]]:
    if number < config["first_k_dense_replace"]:
        return _dense(config, number)
    hidden, inner, count = config["hidden_size"], config["moe_intermediate_size"], config["n_routed_experts"]
    found: dict[str, tuple[int, ...]] = {"gate.weight": (count, hidden), "gate.e_score_correction_bias": (count,)}
    for expert in range(count):
        found.update(_mlp(f"experts.{expert}.", hidden, inner))
    return {**found, **_mlp("shared_experts.", hidden, inner * config["n_shared_experts"])}


def _mlp(prefix: str, hidden: int, inner: int) -> dict[str, tuple[int, ...]]:
    wide = {f"{prefix}{part}_proj.weight": (inner, hidden) for part in ("gate", "up")}
    return {**wide, f"{prefix}down_proj.weight": (hidden, inner)}
