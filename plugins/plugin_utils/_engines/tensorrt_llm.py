# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TensorRT-LLM: ``trtllm-serve``; on several nodes over MPI, which rank 0 starts by SSH into the other containers.

Flags are those of TensorRT-LLM 1.2.1, options of mpirun those of Open MPI 4.1. Only rank 0 serves. The
containers of the others run nothing but an sshd for it; MPI's helper then starts their processes in them. Requests go over
MPI, tensors over NCCL. Sources: TensorRT-LLM's serve.py, openai_server.py and trtllm-llmapi-launch; its guide for Kimi-K2,
"without Slurm", which also says that its image needs openssh-server.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import (
    FILES_IN_CONTAINER,
    SSH_IN_CONTAINER,
    Engine,
    Place,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engines.vllm_native import between_nodes

#: It serves a model under the name of its directory; hence the model is mounted below here once more, as it shall be called.
MODELS_IN_CONTAINER = f"{FILES_IN_CONTAINER}/models"
SERVED_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

#: What the file of ``config`` would take away from the plan: it wins over flags.
PLANNED_CONFIG = ("model", "tensor_parallel_size", "pipeline_parallel_size", "context_parallel_size")

#: A login has no environment of its container: sshd reads it from this file, so that interfaces and library paths are those
#: of the node that a process runs on, and not those of the first.
SSHD = (
    "mkdir -p ~/.ssh /run/sshd; env > ~/.ssh/environment; "
    f'exec /usr/sbin/sshd -D -e -f {SSH_IN_CONTAINER}/sshd_config "$@"'
)


class TensorrtLlm(Engine):
    """``trtllm-serve`` with the PyTorch back end."""

    name = "tensorrt_llm"
    image = "nvcr.io/nvidia/tensorrt-llm/release:1.2.1"
    instead_of_data_parallel = "write options.config with enable_attention_dp in it, which divides tensor_parallel"
    parser = "tensorrt_llm"
    meets = True
    needs_ssh = True
    # When it ends, trtllm-llmapi-launch goes on, in releases that stop at the first failed command (set -e).
    process = "trtllm-serve"
    left_behind = ("/dev/shm/vader_segment.*",)
    options: t.ClassVar[t.Mapping[str, tuple[str, str]]] = {
        # What fits.
        "max_batch_size": ("--max_batch_size", "int"),
        "max_num_tokens": ("--max_num_tokens", "int"),
        "max_seq_len": ("--max_seq_len", "int"),
        "max_beam_width": ("--max_beam_width", "int"),
        "kv_cache_free_gpu_memory_fraction": ("--kv_cache_free_gpu_memory_fraction", "float"),
        # What clients see.
        "tokenizer": ("--tokenizer", "str"),
        "custom_tokenizer": ("--custom_tokenizer", "str"),
        "reasoning_parser": ("--reasoning_parser", "str"),
        "tool_parser": ("--tool_parser", "str"),
        "chat_template": ("--chat_template", "str"),
        # How the work is cut.
        "backend": ("--backend", "str"),
        "ep_size": ("--ep_size", "int"),
        "enable_chunked_prefill": ("--enable_chunked_prefill", "switch"),
        "num_postprocess_workers": ("--num_postprocess_workers", "int"),
        # The rest: moe_config, kv_cache_config, speculative_config, enable_attention_dp …
        "config": ("--config", "file"),
        "trust_remote_code": ("--trust_remote_code", "switch"),
        "fail_fast_on_attention_window_too_large": ("--fail_fast_on_attention_window_too_large", "switch"),
        "log_level": ("--log_level", "str"),
    }
    planned_flags = (
        "--host",
        "--port",
        "--tp_size",
        "--tensor_parallel_size",
        "--pp_size",
        "--pipeline_parallel_size",
        # It would multiply the GPUs that the plan counts.
        "--cp_size",
        "--context_parallel_size",
    )

    def mistakes(self, deployment: Deployment, where: str) -> list[str]:
        found = super().mistakes(deployment, where)
        if not SERVED_NAME.fullmatch(deployment.served_name):
            found.append(
                f"{where}.served_name: {deployment.served_name!r} becomes the name of a directory for {self.name}; "
                "write letters, digits, '.', '_' and '-' only"
            )
        experts = deployment.options.get("ep_size")
        if isinstance(experts, int) and (experts < 1 or deployment.tensor_parallel % experts):
            found.append(
                f"{where}.options.ep_size: {experts} does not divide tensor_parallel {deployment.tensor_parallel}"
            )
        found += [f"{where}.options.config.{key}: is already set by the plan" for key in self._set_twice(deployment)]
        if len(deployment.nodes) > 1:
            found += [
                f"{where}: {word!r} holds a space, at which trtllm-llmapi-launch cuts it in two; "
                "put the text into a file, mount it with mounts, and write its path"
                for word in [*self.flags(deployment), *self.extra_words(deployment)]
                if re.search(r"\s", word)
            ]
        return found

    def _set_twice(self, deployment: Deployment) -> list[str]:
        config = deployment.options.get("config")
        taken = {*PLANNED_CONFIG, *(set(deployment.options) - {"config"})}
        return sorted(taken & set(config)) if isinstance(config, dict) else []

    def mounts(self, deployment: Deployment, place: Place) -> list[str]:
        named = f"{place.model_directory}:{MODELS_IN_CONTAINER}/{deployment.served_name}:ro"
        return [*super().mounts(deployment, place), named]

    def argv(self, deployment: Deployment, place: Place) -> list[str]:
        if place.rank:
            listen = f"ListenAddress={place.address}:{deployment.rendezvous_port}"
            return ["sh", "-ec", SSHD, "sshd", "-o", listen, "-o", f"AllowUsers=root@{place.head_address}"]
        return [
            *(mpirun(deployment, place) if place.nodes > 1 else []),
            "trtllm-serve",
            f"{MODELS_IN_CONTAINER}/{deployment.served_name}",
            "--host",
            place.listen_address,
            "--port",
            str(deployment.port),
            "--tp_size",
            str(deployment.tensor_parallel),
            "--pp_size",
            str(deployment.pipeline_parallel),
            *self.flags(deployment),
            *self.extra_words(deployment),
        ]

    def env(self, deployment: Deployment, place: Place) -> dict[str, tuple[str, str]]:
        return {
            "HF_HUB_OFFLINE": ("1", "weights come from the model store, never from a hub at start"),
            "DO_NOT_TRACK": ("1", "nothing is reported to third parties"),
            **between_nodes(place),
        }


def mpirun(deployment: Deployment, place: Place) -> list[str]:
    """Return the words before ``trtllm-serve`` that start one process per GPU on all nodes."""
    network = str(common_network(place.addresses))
    return [
        "mpirun",
        "--allow-run-as-root",
        "-n",
        str(deployment.ranks),
        "-H",
        ",".join(f"{address}:{place.gpus}" for address in place.addresses),
        # The server shares the cores of the first process: bound to one of them it would starve.
        "--bind-to",
        "none",
        # Without these Open MPI also tries bridges such as docker0, which have the same address on every node.
        "--mca",
        "pml",
        "ob1",
        "--mca",
        "oob_tcp_if_include",
        network,
        "--mca",
        "btl_tcp_if_include",
        network,
        "--mca",
        "plm_rsh_args",
        f"-F {SSH_IN_CONTAINER}/ssh_config -p {deployment.rendezvous_port}",
        "trtllm-llmapi-launch",
    ]


def common_network(addresses: t.Sequence[str]) -> ipaddress.IPv4Network:
    """Return the smallest network that holds all addresses. Interfaces have other names on other nodes, this has not."""
    found = [ipaddress.IPv4Network(address) for address in addresses]
    widest = found[0]
    while not all(one.subnet_of(widest) for one in found):
        widest = widest.supernet()
    return widest
