# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The matrices of a model, from the headers of its files or, without them, from its shape.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Modules are named as Hugging Face checkpoints name them, with ``*`` for the number of a layer and of an expert.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._model_shape import Shape

#: Where a module's weights lie: whole on every rank, or split over ranks by one of these ways.
REPLICATED, ATTENTION, KV, DENSE, EXPERT, VOCAB, VISION = (
    "replicated",
    "attention",
    "kv heads",
    "dense",
    "expert",
    "vocabulary",
    "vision",
)

#: Last word of a module → how it is split, in vLLM 0.32, SGLang 0.5 and TensorRT-LLM 1.2 alike.
SPLITS = {
    **dict.fromkeys(("embed_tokens", "word_embeddings", "wte", "lm_head", "output_layer"), VOCAB),
    **dict.fromkeys(("k_proj", "v_proj"), KV),
    **dict.fromkeys(("q_proj", "o_proj", "q_b_proj", "kv_b_proj", "qkv_proj", "query_key_value"), ATTENTION),
    **dict.fromkeys(("q_a_proj", "kv_a_proj_with_mqa", "gate", "router", "shared_expert_gate", "eh_proj"), REPLICATED),
    **dict.fromkeys(("gate_proj", "up_proj", "down_proj", "gate_up_proj", "w1", "w2", "w3"), DENSE),
}
VISION_PARTS = ("visual", "vision_tower", "vision_model", "multi_modal_projector", "mm_projector")

#: Endings of the tensors of one module.
ENDINGS = (
    "weight",
    "bias",
    "qweight",
    "qzeros",
    "scales",
    "g_idx",
    "weight_scale_inv",
    "weight_scale",
    "weight_packed",
)


@dataclasses.dataclass(frozen=True)
class Tensors:
    """Equal tensors: ``each`` of ``bytes`` in every layer of ``layers``; outside of layers when that is empty."""

    module: str
    bytes: int
    layers: tuple[int, ...] = ()
    each: int = 1

    @property
    def total(self) -> int:
        """Bytes of all of them."""
        return self.bytes * self.each * max(len(self.layers), 1)


def split(module: str) -> str:
    """Return how the engines spread the weights of a module over the ranks of a group."""
    parts = module.split(".")
    if any(part in VISION_PARTS for part in parts):
        return VISION
    if "indexer" in parts:
        return REPLICATED
    if "experts" in parts:
        return EXPERT
    return next((SPLITS[part] for part in reversed(parts) if part in SPLITS), REPLICATED)


def of_headers(groups: t.Iterable[t.Mapping[str, t.Any]]) -> list[Tensors]:
    """Return the tensors that ``model_info`` read from the headers of the files."""
    found = []
    for group in groups:
        module = _module(str(group["name"]))
        layers = tuple(at for first, last in group["layers"] for at in range(first, last + 1))
        each = int(group["each"])
        if split(module) == VISION or module.startswith("mtp."):
            # Their layers are not those of the model that pipeline stages divide.
            layers, each = (), each * max(len(layers), 1)
        found.append(Tensors(module, int(group["bytes"]), layers, each))
    return found


def _module(name: str) -> str:
    head, _dot, tail = name.rpartition(".")
    return head if tail in ENDINGS and head else name


def of_shape(shape: Shape) -> list[Tensors]:
    """Return the tensors that a model of this shape has, by the architecture's formula."""
    found: list[Tensors] = []
    everywhere = tuple(range(shape.layers + shape.mtp_layers))
    moe = {*shape.moe_layers, *everywhere[shape.layers :]} if shape.experts else set()
    dense = tuple(at for at in everywhere if at not in moe)
    plain = shape.dtype_bytes
    for module, rows, columns in _attention(shape):
        found += _matrices(shape, f"model.layers.*.self_attn.{module}", rows, columns, everywhere)
    if shape.attention_bias:
        width = shape.heads * shape.head_dim
        found.append(Tensors("model.layers.*.self_attn.q_proj", width * plain, everywhere))
        found.append(Tensors("model.layers.*.self_attn.k_proj", shape.kv_heads * shape.head_dim * plain, everywhere, 2))
    if dense:
        found += _mlp(shape, "model.layers.*.mlp", shape.intermediate, dense, 1)
    if moe:
        layers = tuple(sorted(moe))
        found += _mlp(shape, "model.layers.*.mlp.experts.*", shape.expert_intermediate, layers, shape.experts)
        if shape.shared_intermediate:
            found += _mlp(shape, "model.layers.*.mlp.shared_experts", shape.shared_intermediate, layers, 1)
        found.append(Tensors("model.layers.*.mlp.gate", shape.experts * shape.hidden * plain, layers))
    found.append(Tensors("model.layers.*.input_layernorm", shape.hidden * plain, everywhere, 2))
    found.append(Tensors("model.norm", shape.hidden * plain))
    if shape.mtp_layers:
        after = everywhere[shape.layers :]
        found.append(Tensors("model.layers.*.eh_proj", 2 * shape.hidden * shape.hidden * plain, after))
    table = shape.vocab * shape.hidden * plain
    found.append(Tensors("model.embed_tokens", table))
    if not shape.tied:
        found.append(Tensors("lm_head", table))
    return found + _vision(shape)


def _attention(shape: Shape) -> list[tuple[str, int, int]]:
    """Return (module, outputs, inputs) of the attention's matrices."""
    if not shape.latent:
        kv, width = shape.kv_heads * shape.head_dim, shape.heads * shape.head_dim
        return [
            ("q_proj", width, shape.hidden),
            ("k_proj", kv, shape.hidden),
            ("v_proj", kv, shape.hidden),
            ("o_proj", shape.hidden, width),
        ]
    queries = shape.heads * (shape.nope_dim + shape.rope_dim)
    found = [
        ("kv_a_proj_with_mqa", shape.latent + shape.rope_dim, shape.hidden),
        ("kv_b_proj", shape.heads * (shape.nope_dim + shape.value_dim), shape.latent),
        ("o_proj", shape.hidden, shape.heads * shape.value_dim),
    ]
    if shape.query_latent:
        found += [("q_a_proj", shape.query_latent, shape.hidden), ("q_b_proj", queries, shape.query_latent)]
    else:
        found.append(("q_proj", queries, shape.hidden))
    if shape.index_heads:
        found.append(("indexer.wq_b", shape.index_heads * shape.index_dim, shape.query_latent))
        found.append(("indexer.wk", shape.index_dim + shape.index_heads, shape.hidden))
    return found


def _mlp(shape: Shape, module: str, inner: int, layers: tuple[int, ...], each: int) -> list[Tensors]:
    found: list[Tensors] = []
    for name, rows, columns in (
        ("gate_proj", inner, shape.hidden),
        ("up_proj", inner, shape.hidden),
        ("down_proj", shape.hidden, inner),
    ):
        found += _matrices(shape, f"{module}.{name}", rows, columns, layers, each)
    return found


def _matrices(
    shape: Shape, module: str, rows: int, columns: int, layers: tuple[int, ...], each: int = 1
) -> list[Tensors]:
    """Return the matrices of a module, by their bytes: a quantiser may leave out some layers."""
    by_bytes: dict[int, list[int]] = collections.defaultdict(list)
    for layer in layers:
        name = module.replace("*", str(layer), 1).replace("*", "0")
        covered = shape.quantization.covers(name)
        size = shape.quantization.matrix_bytes(rows, columns) if covered else rows * columns * shape.dtype_bytes
        by_bytes[size].append(layer)
    return [Tensors(module, size, tuple(some), each) for size, some in by_bytes.items()]


def _vision(shape: Shape) -> list[Tensors]:
    """Return the vision tower, which quantisers leave as it is."""
    tower = shape.vision
    if tower is None:
        return []
    block = 4 * tower.hidden**2 + (3 if tower.gated else 2) * tower.hidden * tower.intermediate
    elements = tower.layers * block + tower.patch * tower.hidden + tower.merged * (tower.merged + tower.out)
    return [Tensors("visual.blocks", elements * shape.dtype_bytes)]
