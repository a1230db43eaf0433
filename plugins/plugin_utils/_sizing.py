# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does a deployment fit, by how much, and what does it then offer: the account of one GPU of the fullest stage.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import (
    _model_shape,
    _model_tensors,
    _parallel,
    _quantization,
    _sizing_kv,
    _sizing_reserve,
    _sizing_weights,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._model_shape import Shape, ShapeError
from ansible_collections.gpufleet.inference.plugins.plugin_utils._sizing_wish import Wish

GIB = 1 << 30

#: Seconds of a start beside reading: imports and processes; compiling and graphs, warm; kernels compiled anew, cold.
BASE_SECONDS, COMPILE_SECONDS, COLD_SECONDS = 45, 45, 300

#: A figure nearer to the edge than this share of the GPU may lie on its other side: logs differ by that much.
DOUBT = 0.015

#: Kinds of GPU that lack a number format: what is stored in it must be converted.
NO_BFLOAT16 = ("t4", "v100", "2080")
NO_FP8 = (*NO_BFLOAT16, "a100", "a800", "a30", "a10", "a40", "a6000", "3090")

#: Weights that an engine can make smaller while loading: option → quantisation.
ONLINE = {"fp8": _quantization.Quantization("fp8", 8, 0, None, 4)}


@dataclasses.dataclass(frozen=True)
class Model:
    """A model to size: its shape, its tensors, and the bytes of its files (0: as many as its tensors have)."""

    name: str
    shape: Shape
    tensors: tuple[_model_tensors.Tensors, ...]
    bytes: int

    def quantized(self, quantization: _quantization.Quantization) -> Model:
        """Return the model with other weights, by the formula of its shape."""
        shape = dataclasses.replace(self.shape, quantization=quantization)
        tensors = tuple(_model_tensors.of_shape(shape))
        return dataclasses.replace(self, shape=shape, tensors=tensors, bytes=sum(one.total for one in tensors))


@dataclasses.dataclass(frozen=True)
class Fleet:
    """Nodes of a deployment: how many, GPUs of each, GiB of a GPU as CUDA reports them, its kind, its GB/s.

    ``read_gbs`` is the speed at which a node reads weights, ``warm`` whether its kernels are compiled already.
    """

    nodes: int
    gpus: int
    gpu_gib: float
    gpu_kind: str = ""
    gpu_gbs: float = 3000.0
    read_gbs: float = 1.0
    warm: bool = True

    @property
    def gpu_bytes(self) -> int:
        """Memory of one GPU."""
        return int(self.gpu_gib * GIB)


def model(info: t.Mapping[str, t.Any], name: str = "") -> Model:
    """Return the model that ``model_info`` describes: {config, tensors, bytes}. Raises ShapeError."""
    shape = _model_shape.parse(info.get("config") or {})
    groups = info.get("tensors") or []
    tensors = tuple(_model_tensors.of_headers(groups) if groups else _model_tensors.of_shape(shape))
    return Model(name, shape, tensors, int(info.get("bytes") or 0) or sum(one.total for one in tensors))


def fleet(nodes: t.Sequence[t.Mapping[str, t.Any]]) -> Fleet:
    """Return the fleet of nodes {gpus, gpu_gib, gpu_kind, gpu_gbs, read_gbs, warm}: the poorest decides.

    Raises ShapeError when there are none, or one says nothing of its GPUs.
    """
    if not nodes:
        raise ShapeError("no nodes are named")
    blind = [str(node.get("name", "a node")) for node in nodes if not node.get("gpus") or not node.get("gpu_gib")]
    if blind:
        raise ShapeError(f"the GPUs or their memory are not known of {', '.join(blind)}")
    poorest = min(nodes, key=lambda node: float(node["gpu_gib"]))
    optional = {key: poorest[key] for key in ("gpu_kind", "gpu_gbs") if poorest.get(key) is not None}
    # A start waits for the slowest.
    optional |= {
        key: min(known)
        for key in ("read_gbs", "warm")
        if (known := [node[key] for node in nodes if node.get(key) is not None])
    }
    return Fleet(len(nodes), min(int(node["gpus"]) for node in nodes), float(poorest["gpu_gib"]), **optional)


def size(what: Model, wish: Wish, where: Fleet) -> dict[str, t.Any]:
    """Return the account of a deployment as plain data; sizes are of one GPU of the fullest stage.

    ``fits`` is True or False, or None when the KV cache of the model has no size that can be computed. ``spare_gib`` is
    what the cache has beyond one request of the asked length; it is what is missing when negative. ``kv_tokens``,
    ``concurrency`` are of the whole deployment. ``tight`` says that the figure is nearer to the edge than such figures are
    exact. ``mistakes`` are splits that no engine accepts; then nothing fits.
    """
    wish = wish.resolved(what.shape.context or 4096, where.gpu_bytes, where.gpu_kind)
    what = _as_loaded(what, wish)
    shape, parallel = what.shape, wish.parallel
    mistakes = [*_parallel.mistakes(shape, parallel), *_parallel.node_mistakes(parallel, where.nodes, where.gpus)]
    if any("more than the" in one and "layers" in one for one in mistakes):
        return {"fits": False, "mistakes": mistakes, "parallel": parallel.text(), "gpus": parallel.gpus, "notes": []}
    crosses = max(parallel.tensor, parallel.expert_ways) > where.gpus
    reserved = _sizing_reserve.reserve(shape, wish, where.gpu_bytes, crosses)
    stages = _sizing_weights.stages(shape, what.tensors, parallel, wish.speculative, wish.version)
    accounts = [_stage(shape, wish, reserved, stage, stage is stages[-1]) for stage in stages]
    worst = min(accounts, key=lambda one: one["spare"])
    tokens = min(one["tokens"] for one in accounts)
    unsized = bool(shape.unsized)
    room = worst["cache"] > 0 if unsized else worst["spare"] >= 0
    return {
        "fits": False if mistakes or not room else None if unsized else True,
        "mistakes": mistakes,
        "parallel": parallel.text(),
        "gpus": parallel.gpus,
        "context": wish.context,
        "spare_gib": round(worst["spare"] / GIB, 2),
        "tight": not mistakes and abs(worst["spare"]) < DOUBT * where.gpu_bytes,
        "weights_gib": round(max(one["weights"] for one in accounts) / GIB, 3),
        "kv_gib": round(worst["cache"] / GIB, 2),
        "kv_bytes_per_token": None if unsized or shape.windowed else worst["rate"],
        "kv_tokens": None if unsized else tokens * parallel.data,
        "concurrency": None if unsized else round(tokens / wish.context * parallel.data, 2),
        "longest_context": None if unsized else min(one["longest"] for one in accounts),
        "reserve": _sizing_reserve.parts(reserved),
        "stages": [{"layers": one["layers"], "weights_gib": round(one["weights"] / GIB, 3)} for one in accounts],
        "load_gib": round(_load_bytes(what, parallel, where) / GIB, 1),
        "start_seconds": start_seconds(what, wish, where),
        "unsized": shape.unsized,
        "notes": notes(shape, where.gpu_kind),
    }


def notes(shape: Shape, gpu_kind: str) -> list[str]:
    """Return what the figures leave open: formats that this kind of GPU lacks, buffers of images."""
    found = []
    if shape.dtype == "bfloat16" and _named(gpu_kind, NO_BFLOAT16):
        found.append(f"{gpu_kind} has no bfloat16: set dtype to float16, which takes the same memory")
    if shape.quantization.method == "fp8" and not has_fp8(gpu_kind):
        found.append(
            f"{gpu_kind} has no FP8 arithmetic: the engine converts the weights as it computes, or refuses them"
        )
    if shape.vision:
        found.append("buffers for images are not in the figures: limit images per request, or leave some GiB")
    return found


def has_fp8(gpu_kind: str) -> bool:
    """Tell whether nothing is known against FP8 arithmetic on this kind of GPU."""
    return not _named(gpu_kind, NO_FP8)


def _named(gpu_kind: str, kinds: tuple[str, ...]) -> bool:
    words = set(gpu_kind.lower().replace("-", " ").split())
    return any(kind in words for kind in kinds)


def _as_loaded(what: Model, wish: Wish) -> Model:
    """Return the model as it is in memory, when the engine shall quantise it while loading."""
    online = ONLINE.get(wish.quantization)
    return what.quantized(online) if online and not what.shape.quantization.method else what


def _stage(
    shape: Shape, wish: Wish, reserved: _sizing_reserve.Reserve, stage: _sizing_weights.Stage, last: bool
) -> dict[str, t.Any]:
    """Return the account of one GPU of a stage, in bytes and tokens."""
    layers = len(stage.layers) + (shape.mtp_layers if last and wish.speculative else 0)
    cache = _sizing_kv.cache(shape, wish.parallel, layers, wish.kv_dtype, wish.batched_tokens, wish.mla)
    available = _sizing_reserve.cache_bytes(wish, reserved, stage.bytes)
    return {
        "layers": len(stage.layers),
        "weights": stage.bytes,
        "cache": available,
        "rate": cache.token_bytes,
        "spare": available - cache.sequence_bytes(wish.context),
        "tokens": cache.tokens(available, wish.context),
        "longest": cache.longest(available, shape.context or wish.context),
    }


def _load_bytes(what: Model, parallel: _parallel.Parallel, where: Fleet) -> int:
    """Return what a node reads: tensor parallel ranks read all files once, pipeline stages those of their layers."""
    nodes_of_stage = max(where.nodes // parallel.pipeline, 1)
    stages_of_node = max(parallel.pipeline * nodes_of_stage // max(where.nodes, 1), 1)
    return what.bytes * stages_of_node // parallel.pipeline


def start_seconds(what: Model, wish: Wish, where: Fleet) -> int:
    """Return how long a start may be expected to take: reading, and what an engine does beside."""
    beside = BASE_SECONDS + (0 if wish.eager else COMPILE_SECONDS) + (0 if where.warm else COLD_SECONDS)
    return int(beside + _load_bytes(what, wish.parallel, where) / (where.read_gbs * 1e9))
