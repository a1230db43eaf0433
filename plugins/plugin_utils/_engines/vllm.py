# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vLLM on a Ray cluster: one driver container on the head, the workers are Ray actors on every member.

Flags are those of vLLM 0.32 and 0.33, whose images hold no Ray any more (roles/engine can add it).

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import Engine, Place
from ansible_collections.gpufleet.inference.plugins.plugin_utils._flags import Renamed


class Vllm(Engine):
    """vLLM with ``--distributed-executor-backend ray``."""

    name = "vllm"
    image = "docker.io/vllm/vllm-openai:v0.33.0"
    needs_ray = True
    parser = "vllm"
    instead_of_data_parallel = "write engine: vllm_native"
    token_counters = ("vllm:generation_tokens_total",)
    running_gauges = ("vllm:num_requests_running",)
    # torch.compile's and DeepGEMM's lie below the first one.
    caches: t.ClassVar[t.Mapping[str, str]] = {
        "VLLM_CACHE_ROOT": "vllm",
        "TRITON_CACHE_DIR": "triton",
        "FLASHINFER_WORKSPACE_BASE": "flashinfer",
    }
    options: t.ClassVar[t.Mapping[str, tuple[str, str]]] = {
        # What fits.
        "max_model_len": ("--max-model-len", "int"),
        "gpu_memory_utilization": ("--gpu-memory-utilization", "float"),
        "kv_cache_memory_bytes": ("--kv-cache-memory-bytes", "int"),
        "max_num_seqs": ("--max-num-seqs", "int"),
        "max_num_batched_tokens": ("--max-num-batched-tokens", "int"),
        "cudagraph_capture_sizes": ("--cudagraph-capture-sizes", "list"),
        "max_cudagraph_capture_size": ("--max-cudagraph-capture-size", "int"),
        # How numbers are held.
        "dtype": ("--dtype", "str"),
        "quantization": ("--quantization", "str"),
        "kv_cache_dtype": ("--kv-cache-dtype", "str"),
        "load_format": ("--load-format", "str"),
        # What clients see.
        "reasoning_parser": ("--reasoning-parser", "str"),
        "tool_call_parser": ("--tool-call-parser", "str"),
        "enable_auto_tool_choice": ("--enable-auto-tool-choice", "bool"),
        "chat_template": ("--chat-template", "str"),
        "default_chat_template_kwargs": ("--default-chat-template-kwargs", "json"),
        "generation_config": ("--generation-config", "str"),
        "override_generation_config": ("--override-generation-config", "json"),
        # How the work is cut.
        "enable_prefix_caching": ("--enable-prefix-caching", "bool"),
        "enable_chunked_prefill": ("--enable-chunked-prefill", "bool"),
        "speculative_config": ("--speculative-config", "json"),
        "enable_expert_parallel": ("--enable-expert-parallel", "bool"),
        "all2all_backend": ("--all2all-backend", "str"),
        "enable_eplb": ("--enable-eplb", "bool"),
        "eplb_config": ("--eplb-config", "json"),
        "decode_context_parallel_size": ("--decode-context-parallel-size", "int"),
        "attention_backend": ("--attention-backend", "str"),
        "enforce_eager": ("--enforce-eager", "bool"),
        "distributed_timeout_seconds": ("--distributed-timeout-seconds", "int"),
        # Adapters.
        "enable_lora": ("--enable-lora", "bool"),
        "lora_modules": ("--lora-modules", "list"),
        "max_loras": ("--max-loras", "int"),
        "max_lora_rank": ("--max-lora-rank", "int"),
        # The rest.
        "hf_overrides": ("--hf-overrides", "json"),
        "trust_remote_code": ("--trust-remote-code", "bool"),
        "enable_log_requests": ("--enable-log-requests", "bool"),
        "log_level": ("VLLM_LOGGING_LEVEL", "env"),
        "seed": ("--seed", "int"),
    }
    planned_flags = (
        "--served-model-name",
        "--host",
        "--port",
        "--distributed-executor-backend",
        "--tensor-parallel-size",
        "-tp",
        "--pipeline-parallel-size",
        "-pp",
        "--model",
        "--api-key",
        "--nnodes",
        "-n",
        "--node-rank",
        "-r",
        "--master-addr",
        "--master-port",
        "--headless",
        "--data-parallel-size",
        "--data-parallel-rpc-port",
    )
    renamed_flags: t.ClassVar[Renamed] = {
        # Done without being asked.
        "--enable-reasoning": (),
        "--disable-log-requests": (),
        "--use-v2-block-manager": (),
        "--disable-frontend-multiprocessing": (),
        # Another name.
        "--cuda-graph-sizes": ("--cudagraph-capture-sizes",),
        "--guided-decoding-backend": ("--structured-outputs-config.backend",),
        # No word for word translation.
        "--worker-use-ray": "write engine: vllm, which runs on Ray",
        "--engine-use-ray": "write engine: vllm, which runs on Ray",
        "--swap-space": "it is gone; leave it out",
        "--num-scheduler-steps": "it is gone; leave it out",
        "--preemption-mode": "it is gone; leave it out",
        "--max-seq-len-to-capture": "write options.max_cudagraph_capture_size, which counts tokens of a batch",
        "--task": "it is gone; leave it out",
        "--rope-scaling": "write options.hf_overrides with rope_scaling in it",
        "--num-speculative-tokens": "write options.speculative_config with num_speculative_tokens in it",
        "--speculative-model": "write options.speculative_config with model in it",
        "--num-redundant-experts": "write options.eplb_config with num_redundant_experts in it",
        "--device": "it is gone; the image decides",
        # Names of another server that were copied around as vLLM's.
        "--max-batch-prefill-tokens": "write options.max_num_batched_tokens",
        "--max-batch-total-tokens": "write options.max_num_batched_tokens",
        "--max-batch-size": "write options.max_num_seqs",
    }

    def argv(self, deployment: Deployment, place: Place) -> list[str]:
        return [*self.command(deployment, place, "ray"), *self.flags(deployment), *self.extra_words(deployment)]

    def command(self, deployment: Deployment, place: Place, executor: str) -> list[str]:
        """Return the words that the plan sets."""
        return [
            "vllm",
            "serve",
            place.model_directory,
            "--served-model-name",
            deployment.served_name,
            "--host",
            place.listen_address,
            "--port",
            str(deployment.port),
            "--distributed-executor-backend",
            executor,
            "--tensor-parallel-size",
            str(deployment.tensor_parallel),
            "--pipeline-parallel-size",
            str(deployment.pipeline_parallel),
        ]

    def env(self, deployment: Deployment, place: Place) -> dict[str, tuple[str, str]]:
        return {
            "VLLM_HOST_IP": (place.address, "the address by which the other ranks know this node"),
            "HF_HUB_OFFLINE": ("1", "weights come from the model store, never from a hub at start"),
            "VLLM_NO_USAGE_STATS": ("1", "nothing is reported to third parties"),
            "DO_NOT_TRACK": ("1", "nothing is reported to third parties"),
            **self.option_env(deployment),
        }

    def start_order(self, nodes: Sequence[str]) -> list[str]:
        return list(nodes[:1])
