# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SGLang: one container per node, which meet at a port of the first one.

Flags are those of SGLang 0.5.23. It prints its arguments, a key included, so clients' keys stay at the gateway. It binds
its port only after loading, and hangs when the port is taken: the plan's ledger has to see to that before. Every further
rank serves a /health that says 200 to everybody: it listens on loopback, and nobody asks it.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import Engine, Place
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engines.vllm_native import between_nodes
from ansible_collections.gpufleet.inference.plugins.plugin_utils._flags import Renamed

#: How long ranks wait for each other, so that a missing one is a failure and not a hang. Kernels that are compiled at the
#: first start take up to half an hour.
DIST_TIMEOUT_SECONDS = 1800


#: With DP attention the processes of a server talk over TCP. Over several nodes at these distances from the port where the
#: ranks meet, on one node from the port where it serves (SGLang 0.5.23, PortArgs and DataParallelController).
BESIDE_RENDEZVOUS, BESIDE_PORT = (*range(1, 7), 13), range(233, 240)


class Sglang(Engine):
    """``sglang serve`` with ``--nnodes``."""

    name = "sglang"
    image = "docker.io/lmsysorg/sglang:v0.5.23"
    parser = "sglang"
    instead_of_data_parallel = "write options.attn_dp_size, which divides tensor_parallel"
    token_counters = ("sglang:generation_tokens_total",)
    running_gauges = ("sglang:num_running_reqs",)
    meets = True
    every_rank_listens = True
    left_behind = ("/dev/shm/sgl_shm_mq_*", "/dev/shm/sglang_loads_*")
    caches: t.ClassVar[t.Mapping[str, str]] = {
        "SGLANG_DG_CACHE_DIR": "deep_gemm",
        "TRITON_CACHE_DIR": "triton",
        "TORCHINDUCTOR_CACHE_DIR": "inductor",
        "FLASHINFER_WORKSPACE_BASE": "flashinfer",
    }
    options: t.ClassVar[t.Mapping[str, tuple[str, str]]] = {
        # What fits.
        "context_length": ("--context-length", "int"),
        "mem_fraction_static": ("--mem-fraction-static", "float"),
        "max_running_requests": ("--max-running-requests", "int"),
        "max_total_tokens": ("--max-total-tokens", "int"),
        "max_prefill_tokens": ("--max-prefill-tokens", "int"),
        "chunked_prefill_size": ("--chunked-prefill-size", "int"),
        "cuda_graph_max_bs_decode": ("--cuda-graph-max-bs-decode", "int"),
        "cuda_graph_backend_decode": ("--cuda-graph-backend-decode", "str"),
        "cuda_graph_backend_prefill": ("--cuda-graph-backend-prefill", "str"),
        # How numbers are held.
        "dtype": ("--dtype", "str"),
        "quantization": ("--quantization", "str"),
        "kv_cache_dtype": ("--kv-cache-dtype", "str"),
        "load_format": ("--load-format", "str"),
        # What clients see.
        "reasoning_parser": ("--reasoning-parser", "str"),
        "tool_call_parser": ("--tool-call-parser", "str"),
        "chat_template": ("--chat-template", "str"),
        "default_chat_template_kwargs": ("--default-chat-template-kwargs", "json"),
        # How the work is cut.
        "disable_radix_cache": ("--disable-radix-cache", "switch"),
        "attn_dp_size": ("--attn-dp-size", "int"),
        "ep_size": ("--ep-size", "int"),
        "moe_a2a_backend": ("--moe-a2a-backend", "str"),
        "speculative_algorithm": ("--speculative-algorithm", "str"),
        "speculative_draft_model_path": ("--speculative-draft-model-path", "str"),
        "speculative_num_steps": ("--speculative-num-steps", "int"),
        "speculative_eagle_topk": ("--speculative-eagle-topk", "int"),
        "speculative_num_draft_tokens": ("--speculative-num-draft-tokens", "int"),
        "attention_backend": ("--attention-backend", "str"),
        "disable_overlap_schedule": ("--disable-overlap-schedule", "switch"),
        "schedule_conservativeness": ("--schedule-conservativeness", "float"),
        # Adapters.
        "enable_lora": ("--enable-lora", "switch"),
        "lora_paths": ("--lora-paths", "list"),
        "max_lora_rank": ("--max-lora-rank", "int"),
        # The rest.
        "device": ("--device", "str"),
        "trust_remote_code": ("--trust-remote-code", "switch"),
        "watchdog_timeout": ("--watchdog-timeout", "float"),
        "log_level": ("--log-level", "str"),
        "log_requests": ("--log-requests", "switch"),
        "random_seed": ("--random-seed", "int"),
    }
    planned_flags = (
        "--model-path",
        "--model",
        "--served-model-name",
        "--host",
        "--port",
        "--tp-size",
        "--tensor-parallel-size",
        "--pp-size",
        "--pipeline-parallel-size",
        "--nnodes",
        "--node-rank",
        "--dist-init-addr",
        "--nccl-init-addr",
        "--dist-timeout",
        "--enable-metrics",
        "--api-key",
        "--admin-api-key",
    )
    renamed_flags: t.ClassVar[Renamed] = {
        # Another name.
        "--dp": ("--dp-size",),
        "--stream-output": ("--incremental-streaming-output",),
        "--cuda-graph-max-bs": ("--cuda-graph-max-bs-decode",),
        "--enable-deepep-moe": ("--moe-a2a-backend", "deepep"),
        "--enable-flashinfer-mla": ("--attention-backend", "flashinfer"),
        "--enable-flashmla": ("--attention-backend", "flashmla"),
        "--disable-cuda-graph": (
            "--cuda-graph-backend-decode",
            "disabled",
            "--cuda-graph-backend-prefill",
            "disabled",
        ),
        # No word for word translation.
        "--tp": "write tensor_parallel",
        "--pp": "write pipeline_parallel",
        "--enable-ep-moe": "write options.ep_size",
        "--enable-dp-attention": "write options.attn_dp_size",
        "--disable-mla": "it is gone; write options.attention_backend",
        "--enable-nan-detection": "it is gone; leave it out",
    }

    def argv(self, deployment: Deployment, place: Place) -> list[str]:
        together = [
            "--nnodes",
            str(place.nodes),
            "--node-rank",
            str(place.rank),
            "--dist-init-addr",
            f"{place.head_address}:{deployment.rendezvous_port}",
            "--dist-timeout",
            str(DIST_TIMEOUT_SECONDS),
        ]
        return [
            "sglang",
            "serve",
            "--model-path",
            place.model_directory,
            "--served-model-name",
            deployment.served_name,
            "--host",
            place.listen_address,
            "--port",
            str(deployment.port),
            "--tp-size",
            str(deployment.tensor_parallel),
            "--pp-size",
            str(deployment.pipeline_parallel),
            "--enable-metrics",
            *(together if place.nodes > 1 else []),
            *self.flags(deployment),
            *self.extra_words(deployment),
        ]

    def env(self, deployment: Deployment, place: Place) -> dict[str, tuple[str, str]]:
        return {
            "SGLANG_HOST_IP": (place.address, "the address by which the other ranks know this node"),
            "HF_HUB_OFFLINE": ("1", "weights come from the model store, never from a hub at start"),
            "DO_NOT_TRACK": ("1", "nothing is reported to third parties"),
            **between_nodes(place),
        }

    def further_ports(self, deployment: Deployment) -> dict[int, str]:
        if deployment.options.get("attn_dp_size", 1) < 2:
            return {}
        if len(deployment.nodes) > 1:
            base, name, steps = deployment.rendezvous_port, "rendezvous_port", tuple(BESIDE_RENDEZVOUS)
        else:
            base, name, steps = deployment.port, "port", tuple(BESIDE_PORT)
        return {base + step: f"{name} + {step} (DP attention)" for step in steps}
