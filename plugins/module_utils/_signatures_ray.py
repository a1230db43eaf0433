# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures of Ray, and of lines that only tell that something else failed before.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.module_utils._signature import (
    CONSEQUENCE,
    SGLANG,
    SUSPECT,
    SYMPTOM,
    TRTLLM,
    VLLM,
    Signature,
)

RAY: tuple[Signature, ...] = (
    Signature(
        "ray-token",
        r"InvalidAuthToken|AuthenticationError: |Authentication token is missing|no authentication token was found",
        "the token differs from the head's, or is absent here",
        "run the ray_cluster role on all members again",
        "run: ray 2.60",
    ),
    Signature(
        "ray-version",
        r"Version mismatch: The cluster was started with",
        "Ray or Python of this process differ from the cluster's",
        "use one image with a digest on all members (ray_cluster_image and the deployment's image)",
        "run: ray 2.60",
    ),
    Signature(
        "ray-runs-already",
        r"Ray is trying to start at (\S+), but is already running at (\S+?)\.?(?: |$)",
        "another Ray runs on this node, at {2}",
        "stop it (ray stop on the host, or its container)",
        "run: ray 2.60",
    ),
    Signature(
        "ray-gpus-too-few",
        r"The number of required GPUs exceeds the total number of available GPUs|Cannot provide a placement group requiring (\S+) GPUs",
        "Ray has fewer GPUs than the deployment wants: a member is missing, or another deployment holds them",
        "ray_health names the absent members; compare tensor_parallel × pipeline_parallel with Ray's total",
        "run: ray 2.60, vllm 0.32",
        kind=SUSPECT,
    ),
    Signature(
        "ray-local-cluster",
        r"Started a local Ray instance",
        "vLLM started a Ray of its own instead of joining the cluster",
        "RAY_ADDRESS must be in the container's environment; the plan sets it, so look at the deployment's environment",
        "run: vllm 0.32",
        kind=SUSPECT,
    ),
    Signature(
        "ray-node-address",
        r"No available node types can fulfill resource request .*node:([\d.]+)",
        "VLLM_HOST_IP is {1}, which is not an address by which Ray knows a node",
        "correct ray_cluster_address of that node",
        "issue vllm#7815",
    ),
    Signature(
        "ray-gcs-unreachable",
        r"Failed to connect to GCS at address (\S+) within|[Uu]nable to connect to GCS at (\S+)",
        "Ray's head does not answer at {1}",
        "look at the head first; then address, ray_cluster_ports.gcs and firewalls between the nodes",
        "run: ray 2.60",
        kind=SUSPECT,
    ),
    Signature(
        "ray-cluster-unreachable",
        r"ConnectionError: (?:ray client connection timeout|Failed to connect to Ray cluster at|Could not find any running Ray instance)",
        "there is no Ray for this container to join",
        "look at gpufleet-ray on this node: it must be ready first",
        "run: ray 2.60",
        kind=SUSPECT,
    ),
    Signature(
        "ray-placement-waits",
        r"Waiting for creating a placement group of specs for (\d+) seconds",
        "vLLM waits {1} s for GPUs that Ray does not have free",
        "ray_health names absent members; a stale deployment may hold them: ray list placement-groups",
        "run: vllm 0.32",
        kind=SYMPTOM,
        engines=VLLM,
    ),
    Signature(
        "ray-memory-monitor",
        r"Workers? \(tasks / actors\) killed due to memory pressure|ray\.exceptions\.OutOfMemoryError",
        "Ray ended a worker because the host's memory was nearly full",
        "use a larger host or a smaller object store, or leave more memory free beside the engine",
        "ray 2.60 memory monitor",
    ),
    Signature(
        "ray-node-died",
        r"The node with node id: \S+ .*has been marked dead|node \S+ .*marked dead because the detector",
        "a node of the Ray cluster stopped answering",
        "look at that node: power, network, gpufleet-ray",
        "ray 2.60 gcs_health_check_manager",
        kind=SYMPTOM,
    ),
    Signature(
        "ray-actor-died",
        r"RayActorError|ActorDiedError|The actor died unexpectedly before finishing this task|ActorHandleNotFoundError",
        "a worker ended",
        "look for the first error of that worker",
        "run: ray 2.60",
        kind=CONSEQUENCE,
    ),
    Signature(
        "ray-raylet-exit",
        r"Some Ray subprocesses exited unexpectedly",
        "Ray's own process on this node ended, as a minute after its head was lost",
        "look at the head; the supervisor starts it again",
        "run: ray 2.60",
        kind=SYMPTOM,
    ),
)

CONSEQUENCES: tuple[Signature, ...] = (
    Signature(
        "worker-sigill",
        r"died unexpectedly \(exit code: -4\)",
        "a worker met an instruction that this processor does not have",
        "on CPU write options.dtype: float32; else use an image for this processor",
        "run: vllm 0.32 (CPU)",
        kind=SUSPECT,
        engines=VLLM,
    ),
    Signature(
        "worker-sigbus",
        r"died unexpectedly \(exit code: -7\)|Bus error",
        "a worker got SIGBUS: /dev/shm is full",
        "enlarge /dev/shm (host_health: shm_gib), or remove what killed engines left there",
        "engines.md 5.3 (33)",
        kind=SUSPECT,
    ),
    Signature(
        "worker-sigkill",
        r"died unexpectedly \(exit code: -9\)|scheduler died during initialization \(exit code: -9\)",
        "a worker was killed from outside, mostly by the kernel for want of host memory",
        "dmesg --ctime | grep -i oom on that node; free host memory",
        "run: vllm 0.32; sglang 0.5.23 entrypoints/engine.py",
        kind=SUSPECT,
    ),
    Signature(
        "worker-sigsegv",
        r"died unexpectedly \(exit code: -11\)|scheduler died during initialization \(exit code: -11\)|Segmentation fault|!!!!!!! Segfault",
        "a worker crashed",
        "look at the native stack below the line; try options.enforce_eager: true, and the release's own image",
        "engines.md 5.3 (33)",
        kind=SYMPTOM,
    ),
    Signature(
        "worker-died",
        r"(?:Worker proc \S+|RayWorkerProc rank=\S+|Rank \d+ scheduler) died",
        "a worker ended, and the group with it",
        "look for the first error of that worker, on its own node",
        "run: vllm 0.32; sglang 0.5.23",
        kind=CONSEQUENCE,
    ),
    Signature(
        "engine-core-failed",
        r"Engine core initialization failed|EngineCore encountered an issue|EngineDeadError|EngineCore failed to start",
        "the engine's core ended; the cause stands before it",
        "look above this line",
        "run: vllm 0.32",
        kind=CONSEQUENCE,
        engines=VLLM,
    ),
    Signature(
        "sglang-child-failed",
        r"Received sigquit from a child process|Initialization failed\. (?:Please see the error messages above|warmup error)",
        "a process of SGLang ended; the cause stands before it",
        "look above this line",
        "run: sglang 0.5.23",
        kind=CONSEQUENCE,
        engines=SGLANG,
    ),
    Signature(
        "sglang-watchdog",
        r"[Ww]atchdog timeout \(self\.watchdog_timeout=(\S+?),",
        "SGLang made no step for {1} s: a rank hangs",
        "look at the other ranks; a longer first compilation needs options.watchdog_timeout",
        "sglang 0.5.23 utils/watchdog.py",
        kind=SYMPTOM,
        engines=SGLANG,
    ),
    Signature(
        "trtllm-child-failed",
        r"Failed to initialize executor on rank (\d+)|Executor worker (?:died|returned error)",
        "rank {1} of TensorRT-LLM did not start; the cause stands beside it",
        "look at the log of that rank",
        "issue NVIDIA/TensorRT-LLM#5872",
        kind=CONSEQUENCE,
        engines=TRTLLM,
    ),
)
