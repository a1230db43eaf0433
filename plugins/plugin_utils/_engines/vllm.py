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


class Vllm(Engine):
    """vLLM with ``--distributed-executor-backend ray``."""

    name = "vllm"
    image = "docker.io/vllm/vllm-openai:v0.33.0"
    needs_ray = True
    options: t.ClassVar[t.Mapping[str, tuple[str, str]]] = {
        "max_model_len": ("--max-model-len", "int"),
        "gpu_memory_utilization": ("--gpu-memory-utilization", "float"),
        "max_num_seqs": ("--max-num-seqs", "int"),
        "max_num_batched_tokens": ("--max-num-batched-tokens", "int"),
        "dtype": ("--dtype", "str"),
        "quantization": ("--quantization", "str"),
        "kv_cache_dtype": ("--kv-cache-dtype", "str"),
        "load_format": ("--load-format", "str"),
        "reasoning_parser": ("--reasoning-parser", "str"),
        "tool_call_parser": ("--tool-call-parser", "str"),
        "enable_auto_tool_choice": ("--enable-auto-tool-choice", "bool"),
        "chat_template": ("--chat-template", "str"),
        "enable_prefix_caching": ("--enable-prefix-caching", "bool"),
        "enable_expert_parallel": ("--enable-expert-parallel", "bool"),
        "enforce_eager": ("--enforce-eager", "bool"),
        "trust_remote_code": ("--trust-remote-code", "bool"),
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
    )
    renamed_flags: t.ClassVar[t.Mapping[str, str]] = {
        "--enable-reasoning": "write options.reasoning_parser only",
        "--worker-use-ray": "the plan sets --distributed-executor-backend ray",
        "--engine-use-ray": "the plan sets --distributed-executor-backend ray",
        "--disable-log-requests": "request logging is off by default; leave it out",
        "--swap-space": "it is gone; leave it out",
        "--num-scheduler-steps": "it is gone; leave it out",
        "--use-v2-block-manager": "it is gone; leave it out",
        "--preemption-mode": "it is gone; leave it out",
        "--max-seq-len-to-capture": "write --cudagraph-capture-sizes",
        "--task": "it is gone; leave it out",
        "--guided-decoding-backend": "write --structured-outputs-config",
        "--rope-scaling": "write --hf-overrides",
        "--cuda-graph-sizes": "write --cudagraph-capture-sizes",
        "--num-speculative-tokens": "write --speculative-config with JSON",
        "--num-redundant-experts": "write --eplb-config with JSON",
        "--disable-frontend-multiprocessing": "it is gone; leave it out",
        "--device": "it is gone; the image decides",
    }
    failure_signatures: t.ClassVar[t.Mapping[str, str]] = {
        r"Address already in use": "the port is taken: free it or change the deployment's port",
        r"less than desired GPU memory utilization": "another process holds GPU memory: stop it",
        r"No available memory for the cache blocks": "weights leave no room: use more GPUs or lower max_num_seqs",
        r"estimated maximum model length is (\d+)": "the context does not fit: lower options.max_model_len to it",
        r"must be divisible by tensor parallel size": "change tensor_parallel to a divisor of the attention heads",
        r"Repo id must be in the form": "the model directory does not exist on this node or in this container",
        r"unrecognized arguments: (\S+)": "the flag is of another vLLM release: remove it from extra_args",
        r"Unable to find address for: (\S+)": "that interface does not exist on this node: set ray_cluster_interface",
        r"Version mismatch: The cluster was started with": "Ray or Python differ: use one image on all nodes",
        r"Authentication token is missing or incorrect": "the Ray token differs: run the ray_cluster role on all nodes",
        r"Failed to connect to GCS at address (\S+)": "the Ray head is not reachable: address, port or firewall",
        r"exceeds the total number of available GPUs": "Ray has too few GPUs: a member is missing or busy",
        r"Failed to infer device type": "no GPU is visible in the container: check the container toolkit",
    }

    def argv(self, deployment: Deployment, place: Place) -> list[str]:
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
            "ray",
            "--tensor-parallel-size",
            str(deployment.tensor_parallel),
            "--pipeline-parallel-size",
            str(deployment.pipeline_parallel),
            *self.flags(deployment),
            *deployment.extra_args,
        ]

    def env(self, deployment: Deployment, place: Place) -> dict[str, tuple[str, str]]:
        return {
            "VLLM_HOST_IP": (place.address, "the address by which Ray knows this node"),
            "HF_HUB_OFFLINE": ("1", "weights come from the model store, never from a hub at start"),
            "VLLM_NO_USAGE_STATS": ("1", "nothing is reported to third parties"),
            "DO_NOT_TRACK": ("1", "nothing is reported to third parties"),
        }

    def start_order(self, nodes: Sequence[str]) -> list[str]:
        return list(nodes[:1])
