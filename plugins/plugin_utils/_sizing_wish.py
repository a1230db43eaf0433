# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a deployment, in the words of sizing, whatever its engine calls it.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._parallel import Parallel

GIB = 1 << 30

#: Share of the GPU that an engine takes unless told otherwise; SGLang computes its own.
SHARES = {"vllm": 0.92, "vllm_native": 0.92, "sglang": 0.0, "tensorrt_llm": 0.9}

#: Since this release vLLM prefills in chunks; before, its profile was of a whole context.
CHUNKED = (0, 8)

#: Releases whose dummy run sorted the logits of all sequences.
SORTING = ((0, 9), (0, 17))

#: Since then vLLM starts NCCL before it begins to account for memory (read in 0.11.0, 0.11.2, 0.26.0 and 0.33.0).
NCCL_FIRST = (0, 11)

#: Since then, or a little earlier, vLLM keeps the buffers of its experts (read in 0.26.0 and 0.33.0, not yet in 0.11.2).
EXPERTS_KEPT = (0, 26)

#: Release in the tag of an image, such as v0.33.0.
TAG = re.compile(r":v?(\d+)\.(\d+)\.\d+")

#: Field of a wish → what the engines call it in ``options``; the first one that is there counts.
OPTIONS: dict[str, tuple[str, ...]] = {
    "context": ("max_model_len", "context_length", "max_seq_len"),
    "utilization": ("gpu_memory_utilization", "mem_fraction_static", "kv_cache_free_gpu_memory_fraction"),
    "kv_dtype": ("kv_cache_dtype",),
    "sequences": ("max_num_seqs", "max_running_requests", "max_batch_size"),
    "batched_tokens": ("max_num_batched_tokens", "chunked_prefill_size", "max_num_tokens"),
    "quantization": ("quantization",),
    "eager": ("enforce_eager", "disable_cuda_graph"),
}


@dataclasses.dataclass(frozen=True)
class Wish:
    """One deployment to size. 0 and "" are the engine's or the model's own values; ``resolved`` fills them in.

    context      tokens that one request may have
    utilization  share of the GPU's memory
    concurrency  requests of that length that shall be served at once; 0 asks for none
    mla          whether the engine has kernels for latent attention, and may use them
    version      release of vLLM, whose account of the memory has changed over time
    """

    parallel: Parallel
    context: int = 0
    utilization: float = 0.0
    kv_dtype: str = ""
    sequences: int = 0
    batched_tokens: int = 0
    quantization: str = ""
    eager: bool = False
    speculative: bool = False
    concurrency: int = 0
    mla: bool = True
    version: tuple[int, int] = (0, 33)

    @property
    def share(self) -> float:
        """Share of the memory, the engine's default when none is asked for."""
        return self.utilization or SHARES.get(self.parallel.engine, 0.9)

    @property
    def graphs_counted(self) -> bool:
        """Whether CUDA graphs are taken from the budget: vLLM does since 0.21."""
        return not self.eager and (self.version >= (0, 21) or not self.parallel.engine.startswith("vllm"))

    @property
    def nccl_first(self) -> bool:
        """Whether the engine's account of memory begins after NCCL has taken its part."""
        return self.parallel.engine.startswith("vllm") and self.version >= NCCL_FIRST

    @property
    def experts_kept(self) -> bool:
        """Whether the buffers of the experts stay from one layer to the next, and so add to what other layers need."""
        return self.parallel.engine.startswith("vllm") and self.version >= EXPERTS_KEPT

    @property
    def sorts(self) -> bool:
        """Whether sampling sorts all logits, as vLLM did before its kernels for top-k and top-p."""
        return self.parallel.engine.startswith("vllm") and SORTING[0] <= self.version < SORTING[1]

    def resolved(self, context: int, gpu_bytes: int, gpu_kind: str = "") -> Wish:
        """Return the wish with the defaults that vLLM 0.32 or SGLang 0.5 takes for a server on this GPU."""
        defaults = _sglang if self.parallel.engine == "sglang" else _vllm
        sequences, tokens = defaults(self.parallel, gpu_bytes / GIB, gpu_kind.lower())
        if defaults is _vllm and self.version < CHUNKED:
            sequences, tokens = 256, max(2048, self.context or context)
        return dataclasses.replace(
            self,
            context=self.context or context,
            sequences=self.sequences or sequences,
            batched_tokens=self.batched_tokens or tokens,
        )


def _vllm(_parallel: Parallel, gib: float, kind: str) -> tuple[int, int]:
    """Return (sequences, tokens in a batch) of ``get_batch_defaults``."""
    large = gib >= 70 and "a100" not in kind
    return (1024 if large else 256), (16384 if gib >= 160 else 8192 if large else 2048)


def _sglang(parallel: Parallel, gib: float, _kind: str) -> tuple[int, int]:
    """Return (largest batch of a CUDA graph, tokens of a chunk), which SGLang takes from the GPU's memory."""
    wide = parallel.tensor >= 4
    sequences = (512 if wide else 256) if gib >= 58 else (160 if wide else 32) if gib >= 34 else 80 if wide else 24
    tokens = 16384 if gib >= 156 else 8192 if gib >= 58 else 4096 if gib >= 34 else 2048
    return sequences, tokens // parallel.data


def of_deployment(deployment: t.Mapping[str, t.Any], concurrency: int = 0) -> Wish:
    """Return the wish of an item of ``engine_deployments``: its sizes, and those of its options that cost memory."""
    options = _with_file(deployment.get("options") or {}, int(deployment.get("tensor_parallel") or 1))
    values: dict[str, t.Any] = {
        field: next((options[name] for name in names if options.get(name)), None) for field, names in OPTIONS.items()
    }
    tag = TAG.search(str(deployment.get("image") or ""))
    if tag and str(deployment.get("engine") or "vllm").startswith("vllm"):
        values["version"] = (int(tag[1]), int(tag[2]))
    environment = deployment.get("environment") or {}
    return Wish(
        parallel=Parallel(
            engine=str(deployment.get("engine") or "vllm"),
            tensor=int(deployment.get("tensor_parallel") or 1),
            pipeline=int(deployment.get("pipeline_parallel") or 1),
            data=int(deployment.get("data_parallel") or options.get("attn_dp_size") or 1),
            expert=bool(deployment.get("expert_parallel") or options.get("enable_expert_parallel"))
            or int(options.get("ep_size") or 1) > 1,
        ),
        mla=str(environment.get("VLLM_MLA_DISABLE") or "0") == "0",
        speculative=bool(options.get("speculative_config") or options.get("speculative_algorithm")),
        concurrency=int(deployment.get("concurrency") or concurrency),
        **{field: value for field, value in values.items() if value is not None},
    )


def _with_file(options: t.Mapping[str, t.Any], tensor: int) -> dict[str, t.Any]:
    """Return the options with what TensorRT-LLM is told in the file of ``config``, under the names of others."""
    config = options.get("config")
    if not isinstance(config, dict):
        return dict(options)
    cache = config.get("kv_cache_config") or {}
    said = {
        "kv_cache_dtype": cache.get("dtype"),
        "kv_cache_free_gpu_memory_fraction": cache.get("free_gpu_memory_fraction"),
        "speculative_config": config.get("speculative_config"),
        "attn_dp_size": tensor if config.get("enable_attention_dp") else None,
        **{name: config.get(name) for name in ("max_seq_len", "max_batch_size", "max_num_tokens")},
    }
    return {**{name: value for name, value in said.items() if value}, **options}
