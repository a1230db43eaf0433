# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other ways to serve a model: which split to take, and what would have to change for one that does not fit.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import (
    _parallel,
    _quantization,
    _sizing,
    _sizing_speed,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._sizing import Fleet, Model
from ansible_collections.gpufleet.inference.plugins.plugin_utils._sizing_wish import Wish

#: How many changes are named, and how far a search for more nodes goes.
CHANGES, MOST_NODES = 3, 16

#: Contexts to try when no change alone is enough.
SHORTER_CONTEXTS = (32768, 8192)

#: A context below this is no answer to "what would fit".
LEAST_CONTEXT = 2048

#: Share of a GPU's memory that can be asked for: what drivers and contexts take is left.
MOST_UTILIZATION = 0.95

#: GiB of the GPUs that are sold, as CUDA reports them.
GPU_SIZES = (23.5, 31.4, 47.4, 79.1, 95.0, 139.8, 178.3, 268.0)

INT4 = _quantization.Quantization("awq", 4, 128, None, 2, 4)


def splits(what: Model, where: Fleet, engine: str) -> list[_parallel.Parallel]:
    """Return the splits worth a look on these nodes or fewer, that the model and the nodes allow.

    Tensor parallel inside of a node, pipeline stages across nodes, tensor parallel across nodes too; with experts, also
    data-parallel attention with whole experts dealt out.
    """
    found: list[_parallel.Parallel] = []
    for nodes in range(1, where.nodes + 1):
        for gpus in range(1, where.gpus + 1):
            found.append(_parallel.Parallel(engine, gpus, nodes))
            if nodes > 1:
                found.append(_parallel.Parallel(engine, gpus * nodes))
            every = gpus * nodes
            if every > 1 and engine != "custom" and what.shape.experts and what.shape.experts % every == 0:
                inside = _parallel.Parallel(engine).inside
                found.append(_parallel.Parallel(engine, every if inside else 1, 1, every, True))
    return [
        one
        for one in dict.fromkeys(found)
        if not _parallel.mistakes(what.shape, one) and not _parallel.node_mistakes(one, where.nodes, where.gpus)
    ]


def proposals(what: Model, wish: Wish, where: Fleet) -> dict[str, t.Any]:
    """Return {smallest, fastest}: each {parallel, tensor_parallel …, result, why}, or None when nothing fits.

    The smallest takes the fewest GPUs, then the fewest stages; the fastest makes the most tokens per second at the
    asked concurrency (one request when none is asked).
    """
    fitting = []
    for split in splits(what, where, wish.parallel.engine):
        mine = dataclasses.replace(wish, parallel=split)
        result = _sizing.size(what, mine, where)
        if result["fits"]:
            served = min(float(max(wish.concurrency, 1)), max(result["concurrency"], 1.0))
            fitting.append((split, result, _sizing_speed.tokens_per_second(what, mine, where, served), served))
    if not fitting:
        return {"smallest": None, "fastest": None}
    smallest = min(fitting, key=lambda one: (one[0].gpus, one[0].pipeline, one[0].data, -one[1]["kv_tokens"]))
    fastest = max(fitting, key=lambda one: (round(one[2], 1), -one[0].gpus))
    rivals = len(fitting)
    return {
        "smallest": _proposal(
            *smallest[:2],
            f"the fewest GPUs of {rivals} splits that fit: {smallest[0].gpus}, "
            f"and {smallest[1]['spare_gib']:.1f} GiB of each to spare",
        ),
        "fastest": _proposal(
            *fastest[:2],
            f"about {fastest[2]:.0f} tokens/s for {fastest[3]:g} requests by memory traffic and messages, "
            f"{smallest[2]:.0f} with the smallest; a comparison of {rivals} splits, not a promise",
        ),
    }


def _proposal(split: _parallel.Parallel, result: dict[str, t.Any], why: str) -> dict[str, t.Any]:
    if split.engine == "vllm" and split.data > 1:
        why += "; it needs engine: vllm_native"
    return {
        "parallel": split.text(),
        "tensor_parallel": split.tensor,
        "pipeline_parallel": split.pipeline,
        "data_parallel": split.data,
        "expert_parallel": split.expert,
        "gpus": split.gpus,
        "why": why,
        "result": result,
    }


def nearest(what: Model, wish: Wish, where: Fleet) -> list[str]:
    """Return the three changes nearest to the wish with which it fits, least effort first; fewer when fewer are known.

    First options, then another split of the same nodes, then other weights, more nodes, larger GPUs. A split that no
    engine accepts is replaced first. What one change cannot do is tried again with a shorter context.
    """
    full = wish.resolved(what.shape.context or 4096, where.gpu_bytes, where.gpu_kind).context
    found: list[str] = []
    for context in (0, *[shorter for shorter in SHORTER_CONTEXTS if shorter < full]):
        asked = dataclasses.replace(wish, context=context) if context else wish
        suffix = f", and a context of {context:,} tokens" if context else ""
        for text, model, changed, fleet in _changes(what, asked, where):
            result = _sizing.size(model, changed, fleet)
            if result["fits"]:
                found.append(f"{text}{suffix}, with {result['spare_gib']:.1f} GiB of each GPU to spare")
            if len(found) == CHANGES:
                return found
    return found


Change = tuple[str, Model, Wish, Fleet]


def _changes(what: Model, wish: Wish, where: Fleet) -> t.Iterator[Change]:
    possible = splits(what, where, wish.parallel.engine)
    possible.sort(key=lambda one: (abs(one.gpus - wish.parallel.gpus), one.data, one.pipeline))
    fitting = [one for one in possible if _sizing.size(what, dataclasses.replace(wish, parallel=one), where)["fits"]]
    prefix = ""
    if _sizing.size(what, wish, where)["mistakes"] and possible:
        # Options alone do not help; they are for the nearest split that is possible, should none fit as it is.
        wish, prefix = dataclasses.replace(wish, parallel=possible[0]), f"{possible[0].text()} with "
    if not (prefix and fitting):
        for text, changed in _options(what, wish, where):
            yield prefix + text, what, changed, where
    for split in fitting[: CHANGES if prefix else 1]:
        yield f"{split.text()} on {split.gpus} of the GPUs", what, dataclasses.replace(wish, parallel=split), where
    for text, other in _other_weights(what, where):
        yield prefix + text, other, wish, where
    yield from _more_nodes(what, wish, where)
    yield from _larger_gpus(what, wish, where, prefix)


def _options(what: Model, wish: Wish, where: Fleet) -> t.Iterator[tuple[str, Wish]]:
    """Return changes of options; the context is not drawn to the last block, as the figures are not that exact."""
    full = wish.resolved(what.shape.context or 4096, where.gpu_bytes, where.gpu_kind)
    longest = (_sizing.size(what, wish, where).get("longest_context") or 0) * 9 // 10 // 1024 * 1024
    if LEAST_CONTEXT <= longest < full.context:
        text = f"a context of {longest:,} instead of {full.context:,} tokens"
        yield text, dataclasses.replace(wish, context=longest)
    yield "a KV cache in FP8", dataclasses.replace(wish, kv_dtype="fp8")
    if 0 < wish.share < MOST_UTILIZATION:
        text = f"{MOST_UTILIZATION:g} of the GPU's memory instead of {wish.share:g}"
        yield text, dataclasses.replace(wish, utilization=MOST_UTILIZATION)
    small = dataclasses.replace(wish, sequences=min(full.sequences, 64), batched_tokens=min(full.batched_tokens, 2048))
    yield f"{small.sequences} sequences and {small.batched_tokens} tokens in a batch", small


def _other_weights(what: Model, where: Fleet) -> t.Iterator[tuple[str, Model]]:
    bits = what.shape.quantization.bits
    if bits == 16 and _sizing.has_fp8(where.gpu_kind):
        yield "weights in FP8", what.quantized(_sizing.ONLINE["fp8"])
    if bits > 4:
        yield "a checkpoint with int4 weights (AWQ or GPTQ)", what.quantized(INT4)


def _more_nodes(what: Model, wish: Wish, where: Fleet) -> t.Iterator[Change]:
    for nodes in range(where.nodes + 1, MOST_NODES + 1):
        larger = dataclasses.replace(where, nodes=nodes)
        fitting = [
            split
            for split in splits(what, larger, wish.parallel.engine)
            if split.gpus > where.gpus * (nodes - 1) and split.gpus % nodes == 0 and split.data == 1
            if _sizing.size(what, dataclasses.replace(wish, parallel=split), larger)["fits"]
        ]
        if fitting:
            split = min(fitting, key=lambda one: (-one.gpus, one.tensor))
            yield f"{nodes} such nodes, {split.text()}", what, dataclasses.replace(wish, parallel=split), larger
            return


def _larger_gpus(what: Model, wish: Wish, where: Fleet, prefix: str) -> t.Iterator[Change]:
    for gib in GPU_SIZES:
        larger = dataclasses.replace(where, gpu_gib=gib, gpu_kind="")
        if gib > where.gpu_gib * 1.05 and _sizing.size(what, wish, larger)["fits"]:
            yield f"{prefix}GPUs of {gib:g} instead of {where.gpu_gib:g} GiB", what, wish, larger
            return
