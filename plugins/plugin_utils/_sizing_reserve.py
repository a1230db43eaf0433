# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an engine leaves for the KV cache: its share of the GPU less what it needs to compute.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

The parts are those of vLLM's memory profile (``determine_available_memory``, 0.32): what it asks of the GPU, less the
weights, less memory outside of torch, less the peak of a dummy run of the largest batch, less CUDA graphs. The largest
allocations of the dummy run are computed from the shape; what no config says is a number measured elsewhere, named here.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sizing_wish
from ansible_collections.gpufleet.inference.plugins.plugin_utils._model_shape import Shape

GIB = 1 << 30

#: What the CUDA context takes before an engine looks at the GPU.
CONTEXT = int(0.5 * GIB)

#: NCCL and other memory outside of torch (logs show 0.2 to 0.3 GiB on two cards without NVLink, 1.0 to 1.6 GiB on
#: data-centre cards, more where a group crosses nodes and every network card gets buffers).
ALONE, PAIRED, LINKED, CROSSING = int(0.15 * GIB), int(0.3 * GIB), int(1.4 * GIB), int(2.0 * GIB)
#: What is left of it where the engine starts NCCL before its account begins: 0.07 to 0.15 GiB on two H200 (vLLM 0.26). Across
#: nodes, where some channels are connected later, it is not measured: as much more is kept aside as for older releases.
SETTLED = int(0.1 * GIB)
DATA_CENTRE_GIB = 70

#: CUDA graphs of a layer, of all sizes up to 512 sequences. Logs show 8 to 19 MiB for dense models; for models with
#: experts 8 to 64, the most with fused FP4 kernels.
GRAPHS_OF_LAYER, GRAPHS_OF_MOE_LAYER = 14 << 20, 26 << 20

#: Graphs of vLLM hold, once and for all layers, the sums that FlashAttention 3 keeps apart in 32 bits: of so many parts of a
#: request, for the requests of the largest graph. For DeepSeek-V3 with TP2 that is 2.0 of the 2.23 GiB which it logs.
PARTS_OF_REQUEST, LARGEST_GRAPH = 32, 512

#: Sampling keeps, for each of the sequences and words: logits in 16 bits, in 32, probabilities and noise in 32. Releases
#: that sorted took 38.5 bytes in all (5.58 GiB for 1024 × 151,936 words, 1.40 for 256).
SAMPLER_BYTES, SORTING_BYTES = 14.0, 38.5

#: Rows of the buffer in which MLA unpacks the latents of earlier chunks of a prefill.
MLA_ROWS = 65536


@dataclasses.dataclass(frozen=True)
class Reserve:
    """Bytes on one GPU: what the engine asks for, and what of that is neither weights nor KV cache."""

    requested: int
    non_torch: int
    activation: int
    graphs: int

    @property
    def overhead(self) -> int:
        """Everything that is neither weights nor KV cache."""
        return self.non_torch + self.activation + self.graphs


def reserve(shape: Shape, wish: _sizing_wish.Wish, gpu_bytes: int, crosses_nodes: bool) -> Reserve:
    """Return what is left aside on a GPU of ``gpu_bytes``, as CUDA reports them."""
    group = max(wish.parallel.tensor, wish.parallel.expert_ways)
    outside = ALONE if group == 1 else LINKED if gpu_bytes >= DATA_CENTRE_GIB * GIB else PAIRED
    outside = CROSSING if crosses_nodes and group > 1 else outside
    if group > 1 and wish.nccl_first:
        outside = SETTLED + (CROSSING - LINKED if crosses_nodes else 0)
    peak = activation(shape, wish)
    graphs = _graphs(shape, wish, gpu_bytes) if wish.graphs_counted else 0
    if wish.parallel.engine == "sglang":
        # The fraction is of what is free after the groups are made; activations and graphs live in what it leaves.
        free = gpu_bytes - CONTEXT - outside
        return Reserve(int(free * (wish.utilization or sglang_fraction(wish, gpu_bytes))), 0, 0, 0)
    if wish.parallel.engine == "tensorrt_llm":
        # The fraction is of what is free after loading and a dummy run, so it scales the cache: see ``cache_bytes``.
        return Reserve(gpu_bytes - CONTEXT, outside, peak, graphs)
    return Reserve(int(gpu_bytes * wish.share), outside, peak, graphs)


def _graphs(shape: Shape, wish: _sizing_wish.Wish, gpu_bytes: int) -> int:
    """Return the bytes of the graphs of the layers of one stage, and what attention keeps apart in them."""
    moe = len(shape.moe_layers)
    every = moe * GRAPHS_OF_MOE_LAYER + (shape.layers - moe) * GRAPHS_OF_LAYER
    apart = 0
    if wish.parallel.engine.startswith("vllm") and gpu_bytes >= DATA_CENTRE_GIB * GIB:
        rows = PARTS_OF_REQUEST * min(LARGEST_GRAPH, wish.sequences)
        apart = rows * shape.heads * (shape.latent or shape.head_dim) * 4 // wish.parallel.attention_ways
    return every // wish.parallel.pipeline + apart


def cache_bytes(wish: _sizing_wish.Wish, reserved: Reserve, weights: int) -> int:
    """Return the bytes that become the KV cache; negative when the weights alone are too large."""
    left = reserved.requested - weights - reserved.overhead
    return int(left * wish.share) if wish.parallel.engine == "tensorrt_llm" and left > 0 else left


def activation(shape: Shape, wish: _sizing_wish.Wish) -> int:
    """Return the peak of the dummy run: the layer with the largest buffers, or sampling after the last layer.

    Where the buffers of experts are kept, they are there beside the greatest of everything else.
    """
    parallel, size = wish.parallel, shape.dtype_bytes
    stream = 4 * shape.hidden * wish.batched_tokens * size
    dense = 3 * shape.intermediate * wish.batched_tokens * size // parallel.tensor
    dense = dense if len(shape.moe_layers) < shape.layers else 0
    each = SORTING_BYTES if wish.sorts else SAMPLER_BYTES
    sampling = int(wish.sequences * shape.vocab * each) + shape.hidden * wish.batched_tokens * size
    attention, routed = _attention(shape, wish), _routed(shape, wish)
    if wish.experts_kept:
        return max(stream + attention + routed, stream + dense, sampling + routed)
    return max(stream + max(attention, routed, dense), sampling)


def _attention(shape: Shape, wish: _sizing_wish.Wish) -> int:
    """Return the bytes of queries, keys, values and what comes of them; for MLA with the rows that it unpacks."""
    tokens, size, ways = wish.batched_tokens, shape.dtype_bytes, wish.parallel.attention_ways
    if not shape.latent:
        return (shape.heads * shape.head_dim * 4 // ways) * tokens * size
    unpacked = shape.nope_dim + shape.value_dim
    # The keys of MLA are in the unpacked rows.
    return shape.heads * ((unpacked + shape.rope_dim) * tokens + MLA_ROWS * unpacked) * size // ways


def _routed(shape: Shape, wish: _sizing_wish.Wish) -> int:
    """Return the bytes of the tokens on their way through the experts; 0 without experts.

    Every token goes to several experts, and comes back from each in full width; quantised inputs are copied once more.
    """
    if not shape.experts:
        return 0
    parallel, hidden = wish.parallel, shape.hidden
    narrow = shape.expert_intermediate if parallel.expert else shape.expert_intermediate // parallel.expert_ways
    # Buffers that are kept have the width of what comes back both times.
    second = max(narrow, hidden if wish.experts_kept else hidden // 2)
    tokens = wish.batched_tokens * parallel.data
    every = shape.experts_per_token * (max(2 * narrow, hidden) + second) * tokens * shape.dtype_bytes
    return every // (parallel.expert_ways if parallel.expert and parallel.data > 1 else 1)


def sglang_fraction(wish: _sizing_wish.Wish, gpu_bytes: int) -> float:
    """Return SGLang's default of ``--mem-fraction-static``: 0.5 GiB, 1.5 MiB per token of a chunk, graphs, groups."""
    mib = gpu_bytes / (1 << 20)
    parallel = wish.parallel
    aside = 512 + max(wish.batched_tokens, 2048) * 1.5 + parallel.tensor * parallel.pipeline / 8 * 1024
    aside += 0 if wish.eager else wish.sequences * 2
    if parallel.data > 1:
        aside += wish.sequences * parallel.data * (4.5 if wish.sequences > 300 else 3)
    if mib > 60 * 1024:
        aside = max(aside, 10 * 1024)
    aside += 2048 if wish.speculative else 0
    return round((mib - aside) / mib, 3)


def parts(reserved: Reserve) -> dict[str, t.Any]:
    """Return the reserve as plain numbers of GiB."""
    return {f"{key}_gib": round(value / GIB, 2) for key, value in dataclasses.asdict(reserved).items()}
