# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a token takes, for comparing splits: bytes read from GPU memory, and messages between GPUs.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

A comparison, not a promise: decoding is bound by memory, so a step reads the weights that the batch touches and the
cache of its sequences; every layer then exchanges two messages, which cost more when they leave the node.
"""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.plugin_utils import (
    _model_tensors,
    _sizing,
    _sizing_kv,
    _sizing_weights,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._sizing_wish import Wish

#: Share of the bandwidth that kernels reach, and the time of a message inside of a node and between nodes.
REACHED = 0.6
INSIDE_SECONDS, BETWEEN_SECONDS = 10e-6, 60e-6


def tokens_per_second(what: _sizing.Model, wish: Wish, where: _sizing.Fleet, concurrency: float) -> float:
    """Return the tokens of all requests per second of decoding, with ``concurrency`` that are half of their context long."""
    shape, parallel = what.shape, wish.parallel
    wish = wish.resolved(shape.context or 4096, where.gpu_bytes, where.gpu_kind)
    batch = max(concurrency, 1.0)
    own = max(batch / parallel.data, 1.0)
    seconds = 0.0
    for stage in _sizing_weights.stages(shape, what.tensors, parallel, wish.speculative, wish.version):
        touched = float(stage.bytes)
        if shape.experts:
            share = 1 - (1 - shape.experts_per_token / shape.experts) ** batch
            touched -= stage.parts.get(_model_tensors.EXPERT, 0) * (1 - share)
        cache = _sizing_kv.cache(shape, parallel, len(stage.layers), wish.kv_dtype, wish.batched_tokens, wish.mla)
        read = touched + own * cache.sequence_bytes(wish.context // 2)
        seconds += read / (where.gpu_gbs * 1e9 * REACHED)
        seconds += len(stage.layers) * _messages(wish, where)
    return batch / (seconds + (parallel.pipeline - 1) * BETWEEN_SECONDS)


def _messages(wish: Wish, where: _sizing.Fleet) -> float:
    """Return the seconds of the messages of one layer: after attention, and around the MLP or the experts."""
    found = 0.0
    for ways in (wish.parallel.attention_ways, wish.parallel.expert_ways):
        if ways > 1:
            found += BETWEEN_SECONDS if ways > where.gpus else INSIDE_SECONDS
    return found
