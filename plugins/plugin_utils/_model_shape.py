# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a model's config.json says of its shape: layers, heads, experts, attention, context, quantisation.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Covers decoders with multi-head, grouped-query, multi-query and latent (MLA) attention, dense or with experts: Llama,
Qwen2/2.5/3 and their MoE, Mixtral, DeepSeek V2/V3/R1, Kimi-K2, GLM-4, MiniMax-M2, Phi, Mistral, gpt-oss; of a vision
model, the text part, and the vision tower by its own sizes.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _quantization

#: Types of layer whose memory does not grow by one rate per token.
STATEFUL = ("linear_attention", "mamba", "recurrent", "conv", "compressed", "chunked")
STATEFUL_MODELS = ("deepseek_v4", "qwen3_next", "kimi_linear", "jamba", "bamba", "zamba2", "nemotron_h", "mamba")
DTYPE_BYTES = {"bfloat16": 2, "float16": 2, "half": 2, "float32": 4, "float": 4, "float8_e4m3fn": 1}


class ShapeError(ValueError):
    """The config cannot be sized; the text says why."""


@dataclasses.dataclass(frozen=True)
class Vision:
    """A vision tower before the text model: depth, widths, inputs of a patch, inputs and outputs of its merger."""

    layers: int
    hidden: int
    intermediate: int
    patch: int
    merged: int
    out: int
    gated: bool


@dataclasses.dataclass(frozen=True)
class Shape:
    """A model in numbers of elements; ``latent`` is 0 without MLA, ``experts`` is 0 for a dense model.

    moe_layers  indices of the layers with experts; the others have an MLP of ``intermediate``
    windowed    number of layers that look back ``window`` tokens only
    unsized     why the KV cache has no size that can be computed; empty when it has
    """

    family: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    context: int
    tied: bool
    dtype: str
    latent: int = 0
    rope_dim: int = 0
    nope_dim: int = 0
    value_dim: int = 0
    query_latent: int = 0
    index_heads: int = 0
    index_dim: int = 0
    experts: int = 0
    experts_per_token: int = 0
    expert_intermediate: int = 0
    shared_intermediate: int = 0
    moe_layers: tuple[int, ...] = ()
    mtp_layers: int = 0
    windowed: int = 0
    window: int = 0
    attention_bias: bool = False
    unsized: str = ""
    vision: Vision | None = None
    quantization: _quantization.Quantization = dataclasses.field(default_factory=_quantization.Quantization)

    @property
    def dtype_bytes(self) -> int:
        """Bytes of one element that is not quantised."""
        return DTYPE_BYTES.get(self.dtype, 2)

    @property
    def attention(self) -> str:
        """One of mla, mha, mqa, gqa."""
        if self.latent:
            return "mla"
        return "mha" if self.kv_heads == self.heads else "mqa" if self.kv_heads == 1 else "gqa"


def parse(config: t.Mapping[str, t.Any]) -> Shape:
    """Return the shape of the model of this config.json. Raises ShapeError."""
    text = {**config, **(config.get("text_config") or config.get("llm_config") or {})}
    quantization = text.get("quantization_config") or config.get("quantization_config")
    family = str(text.get("model_type") or "")
    layers, hidden, heads = (_number(text, key) for key in ("num_hidden_layers", "hidden_size", "num_attention_heads"))
    latent = int(text.get("kv_lora_rank") or 0)
    experts = int(next((text[key] for key in EXPERTS if text.get(key)), 0))
    if not experts and (text.get("num_experts_per_tok") or text.get("moe_intermediate_size")):
        raise ShapeError(f"config.json: {family} has experts, but none of {', '.join(EXPERTS)} says how many")
    inner = int(text.get("moe_intermediate_size") or (text.get("intermediate_size") or 0)) if experts else 0
    kinds = [str(kind) for kind in text.get("layer_types") or []]
    try:
        quantized = _quantization.parse({"quantization_config": quantization, **({} if quantization else text)})
    except ValueError as error:
        raise ShapeError(str(error)) from None
    windowed = _windowed(text, layers, kinds)
    return Shape(
        family=family,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=int(text.get("num_key_value_heads") or text.get("multi_query_group_num") or heads),
        head_dim=int(text.get("head_dim") or text.get("kv_channels") or hidden // heads),
        intermediate=int(text.get("intermediate_size") or text.get("ffn_hidden_size") or 4 * hidden),
        vocab=int(text.get("vocab_size") or text.get("padded_vocab_size") or 0),
        context=int(text.get("max_position_embeddings") or text.get("seq_length") or 0),
        tied=bool(text.get("tie_word_embeddings", config.get("tie_word_embeddings", False))),
        dtype=str(text.get("dtype") or text.get("torch_dtype") or "bfloat16").rsplit(".", 1)[-1],
        latent=latent,
        rope_dim=int(text.get("qk_rope_head_dim") or 0),
        nope_dim=int(text.get("qk_nope_head_dim") or 0),
        value_dim=int(text.get("v_head_dim") or 0),
        query_latent=int(text.get("q_lora_rank") or 0),
        index_heads=int(text.get("index_n_heads") or 0),
        index_dim=int(text.get("index_head_dim") or 0),
        experts=experts,
        experts_per_token=int(text.get("num_experts_per_tok") or text.get("experts_per_token") or 1) if experts else 0,
        expert_intermediate=inner,
        shared_intermediate=_shared(text, inner) if experts else 0,
        moe_layers=_moe_layers(text, layers) if experts else (),
        mtp_layers=int(text.get("num_nextn_predict_layers") or text.get("mtp_num_hidden_layers") or 0),
        windowed=windowed,
        window=int(text.get("sliding_window") or 0) if windowed else 0,
        attention_bias=bool(text.get("attention_bias", family in ("qwen2", "qwen2_moe", "qwen2_5_vl_text"))),
        unsized=_unsized(family, kinds, text),
        vision=_vision(config.get("vision_config") or {}, hidden),
        quantization=quantized,
    )


EXPERTS = ("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts")


def _number(text: t.Mapping[str, t.Any], key: str) -> int:
    value = text.get(key)
    if not isinstance(value, int) or value < 1:
        raise ShapeError(f"config.json: {key} is {value!r}; a decoder's config has a number there")
    return value


def _shared(text: t.Mapping[str, t.Any], inner: int) -> int:
    """Return the width of the experts that every token passes: Qwen names it, DeepSeek and GLM name their number."""
    own = text.get("shared_expert_intermediate_size") or text.get("shared_intermediate_size")
    return int(own or (text.get("n_shared_experts") or 0) * inner)


def _moe_layers(text: t.Mapping[str, t.Any], layers: int) -> tuple[int, ...]:
    first = int(text.get("first_k_dense_replace") or 0)
    every = text.get("moe_layer_freq")
    every = every if isinstance(every, int) else 1
    step = int(text.get("decoder_sparse_step") or 1)
    dense = set(text.get("mlp_only_layers") or ())
    return tuple(
        at for at in range(first, layers) if at % max(every, 1) == 0 and (at + 1) % step == 0 and at not in dense
    )


def _windowed(text: t.Mapping[str, t.Any], layers: int, kinds: list[str]) -> int:
    """Return how many layers slide. A window without ``layer_types`` is of all layers, unless Qwen switches it off."""
    if kinds:
        return sum(kind == "sliding_attention" for kind in kinds[:layers])
    if not text.get("sliding_window") or text.get("use_sliding_window") is False:
        return 0
    family = str(text.get("model_type") or "")
    if family.startswith(("gemma2", "gemma3")):
        every = int(text.get("sliding_window_pattern") or (2 if family.startswith("gemma2") else 6))
        return layers - layers // every
    return layers if family in ("mistral", "mixtral", "phi3") else 0


def _unsized(family: str, kinds: list[str], text: t.Mapping[str, t.Any]) -> str:
    odd = sorted({kind for kind in kinds if any(word in kind for word in STATEFUL)})
    if odd or family.removesuffix("_text") in STATEFUL_MODELS or text.get("linear_attn_config"):
        return f"{family} has layers ({', '.join(odd) or 'by its type'}) whose state has no rate per token"
    return ""


def _vision(raw: t.Mapping[str, t.Any], text_hidden: int) -> Vision | None:
    layers = int(raw.get("depth") or raw.get("vt_num_hidden_layers") or raw.get("num_hidden_layers") or 0)
    hidden = int(raw.get("hidden_size") or raw.get("embed_dim") or raw.get("vt_hidden_size") or 0)
    if not layers or not hidden:
        return None
    out = int(raw.get("out_hidden_size") or raw.get("text_hidden_size") or text_hidden)
    # Qwen2-VL's config calls the width of the language model hidden_size, and its own embed_dim.
    hidden = int(raw.get("embed_dim") or hidden)
    inner = int(raw.get("intermediate_size") or raw.get("vt_intermediate_size") or hidden * raw.get("mlp_ratio", 4))
    merge = int(raw.get("spatial_merge_size") or 2)
    patch = int(raw.get("patch_size") or 14) ** 2 * 3 * int(raw.get("temporal_patch_size") or 1)
    gated = "qwen2_5" in str(raw.get("model_type") or "") or raw.get("hidden_act") == "silu"
    return Vision(layers, hidden, inner, patch, hidden * merge**2, out, gated)
