# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes of the KV cache: of a token, of a whole sequence, and how long a sequence fits.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

All sizes are of one GPU. A rank of a pipeline keeps the cache of its own layers only.
"""

from __future__ import annotations

import dataclasses
import math

from ansible_collections.gpufleet.inference.plugins.plugin_utils._model_shape import DTYPE_BYTES, Shape
from ansible_collections.gpufleet.inference.plugins.plugin_utils._parallel import Parallel

#: Tokens of a block of the cache, the unit in which engines hand it out.
BLOCK = 16

#: The selection index of sparse attention (DeepSeek-V3.2): FP8 and four bytes of scale, for each token and layer.
INDEX_SCALE_BYTES = 4

#: Heads of odd widths are padded to a multiple of this where MLA has no kernels of its own.
HEAD_PADDING = 128


@dataclasses.dataclass(frozen=True)
class Cache:
    """The cache of one GPU: bytes of a token in one layer, layers that see all, layers that see ``window`` tokens."""

    layer_bytes: int
    full: int
    windowed: int
    window: int

    @property
    def token_bytes(self) -> int:
        """Bytes that one more token costs in a long sequence."""
        return self.layer_bytes * self.full

    def sequence_bytes(self, tokens: int) -> int:
        """Return the bytes of a sequence of ``tokens``, in whole blocks."""
        return self.layer_bytes * (self.full * _blocks(tokens) + self.windowed * _blocks(min(tokens, self.window)))

    def longest(self, available: int, limit: int) -> int:
        """Return how many tokens of one sequence fit in ``available`` bytes; at most ``limit``, whole blocks below it."""
        if self.sequence_bytes(limit) <= available:
            return limit
        low, high = 0, limit // BLOCK
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.sequence_bytes(middle * BLOCK) <= available else (low, middle - 1)
        return low * BLOCK

    def tokens(self, available: int, length: int) -> int:
        """Return the tokens that the cache holds, as engines print it: with windows, by sequences of ``length``."""
        if available <= 0:
            return 0
        if not self.windowed:
            return available // (self.token_bytes * BLOCK) * BLOCK
        return int(available / self.sequence_bytes(length) * length)


def cache(
    shape: Shape, parallel: Parallel, layers: int, kv_dtype: str = "", batched_tokens: int = 0, mla: bool = True
) -> Cache:
    """Return the cache of one GPU of a stage with ``layers`` layers; ``kv_dtype`` empty or auto is the model's own."""
    windowed = round(layers * shape.windowed / shape.layers)
    window = shape.window + batched_tokens if windowed else 0
    return Cache(layer_bytes(shape, parallel, kv_dtype, mla), layers - windowed, windowed, window)


def layer_bytes(shape: Shape, parallel: Parallel, kv_dtype: str = "", mla: bool = True) -> int:
    """Return the bytes of one token in one layer on one GPU.

    MLA keeps one latent vector per token, which no tensor parallelism divides. Otherwise a rank keeps its share of the
    KV heads, and at least one. MLA that is switched off unpacks the latent to full heads, which kernels pad.
    """
    size = element_bytes(shape, kv_dtype)
    if shape.latent and not mla:
        width = math.ceil((shape.nope_dim + shape.rope_dim) / HEAD_PADDING) * HEAD_PADDING
        return 2 * max(1, shape.heads // parallel.attention_ways) * width * size
    if shape.latent:
        index = shape.index_dim + INDEX_SCALE_BYTES if shape.index_heads else 0
        return (shape.latent + shape.rope_dim) * size + index
    return 2 * max(1, shape.kv_heads // parallel.attention_ways) * shape.head_dim * size


def element_bytes(shape: Shape, kv_dtype: str) -> int:
    """Return the bytes of one element of the cache."""
    if kv_dtype in ("", "auto"):
        return max(shape.dtype_bytes, 2)
    return 1 if kv_dtype.startswith(("fp8", "int8")) else DTYPE_BYTES.get(kv_dtype, 2)


def _blocks(tokens: int) -> int:
    return math.ceil(tokens / BLOCK) * BLOCK
