# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes of the weights on one GPU of each pipeline stage.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_tensors as tensors_of
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _parallel
from ansible_collections.gpufleet.inference.plugins.plugin_utils._model_shape import Shape
from ansible_collections.gpufleet.inference.plugins.plugin_utils._model_tensors import Tensors

#: Vocabularies are padded to this before they are divided.
VOCAB_PADDING = 64

#: The release of vLLM that absorbed MLA's matrices into their neighbours.
FULLY_ABSORBED = (0, 7)


@dataclasses.dataclass(frozen=True)
class Stage:
    """One GPU of a stage: its layers, and its bytes by how they are split (``replicated``, ``expert`` …)."""

    layers: range
    parts: t.Mapping[str, int]

    @property
    def bytes(self) -> int:
        """All weights of one GPU of the stage."""
        return sum(self.parts.values())


def stages(
    shape: Shape,
    tensors: t.Iterable[Tensors],
    parallel: _parallel.Parallel,
    speculative: bool = False,
    version: tuple[int, int] = (0, 33),
) -> list[Stage]:
    """Return what one GPU of each stage holds once the engine has loaded the checkpoint.

    Layers after the model's own are the draft (MTP) layers: they are loaded, on the last stage, for speculation only.
    """
    ranges = _parallel.stages(shape.layers, parallel.pipeline)
    parts: list[dict[str, float]] = [collections.defaultdict(float) for _ in ranges]
    for one in tensors:
        how = tensors_of.split(one.module)
        share = one.bytes * one.each * fraction(how, shape, parallel)
        for at, count in _places(one, shape, ranges, speculative).items():
            parts[at][how] += share * count
    for at, layers in enumerate(ranges):
        for name, size in _after_loading(shape, parallel, len(layers), version).items():
            parts[at][name] += size
    return [
        Stage(layers, {key: int(size) for key, size in part.items()})
        for layers, part in zip(ranges, parts, strict=True)
    ]


def fraction(how: str, shape: Shape, parallel: _parallel.Parallel) -> float:
    """Return which part of a tensor a rank holds."""
    if how == tensors_of.REPLICATED or (how == tensors_of.VISION and shape.family.startswith("kimi")):
        return 1.0
    if how == tensors_of.EXPERT:
        ways = parallel.expert_ways
        return math.ceil(shape.experts / ways) / shape.experts if parallel.expert and shape.experts else 1 / ways
    if how == tensors_of.KV:
        # Fewer KV heads than ranks: each rank keeps a whole one.
        return max(1, shape.kv_heads // parallel.attention_ways) / shape.kv_heads
    if how == tensors_of.VOCAB:
        padded = math.ceil(shape.vocab / VOCAB_PADDING) * VOCAB_PADDING if shape.vocab else 1
        return padded / max(shape.vocab, 1) / parallel.tensor
    return 1 / (parallel.attention_ways if how == tensors_of.ATTENTION else parallel.tensor)


def _places(one: Tensors, shape: Shape, ranges: list[range], speculative: bool) -> dict[int, int]:
    """Return {stage: how many layers' worth of these tensors it has}."""
    last = len(ranges) - 1
    name = one.module.rsplit(".", 1)[-1]
    if one.layers:
        found = {at: sum(layer in layers for layer in one.layers) for at, layers in enumerate(ranges)}
        draft = sum(layer >= shape.layers for layer in one.layers)
        # The draft shares the vocabulary of the model.
        if speculative and draft and tensors_of.split(one.module) != tensors_of.VOCAB:
            found[last] += draft
        return found
    if one.module.startswith("mtp."):
        return {last: 1} if speculative else {}
    if tensors_of.split(one.module) == tensors_of.VISION:
        return {0: 1}
    if tensors_of.split(one.module) == tensors_of.VOCAB and name not in ("lm_head", "output_layer"):
        return {0: 1} | ({last: 1} if shape.tied else {})
    return {} if shape.tied and name == "lm_head" else {last: 1}


def _after_loading(
    shape: Shape, parallel: _parallel.Parallel, layers: int, version: tuple[int, int]
) -> dict[str, float]:
    """Return what engines make of the weights after loading: the table of rotary angles, and MLA's absorbed matrices.

    MLA keeps ``kv_b_proj`` for prefill and, for decode, its two halves once more in 16 bits (vLLM: W_UK_T and W_UV).
    vLLM 0.7 multiplied them into the queries and the output instead, which are larger, in the type of the weights.
    """
    rotary = shape.rope_dim or shape.head_dim
    # Multimodal models keep four times their positions.
    angles = float(shape.context * rotary * shape.dtype_bytes * (4 if shape.vision else 1))
    absorbed = layers * shape.heads * (shape.nope_dim + shape.value_dim) * shape.latent * 2 / parallel.attention_ways
    if shape.latent and version == FULLY_ABSORBED and parallel.engine.startswith("vllm"):
        wide = layers * shape.heads * shape.latent * (shape.query_latent + shape.hidden) / parallel.attention_ways
        absorbed = wide * shape.quantization.bits / 8
    return {tensors_of.REPLICATED: angles, tensors_of.ATTENTION: absorbed}
