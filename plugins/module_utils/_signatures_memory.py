# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures of memory: of the GPU, of the host, of /dev/shm and of disks.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.module_utils._signature import (
    KERNEL,
    NOTE,
    SGLANG,
    SUSPECT,
    SYMPTOM,
    TRTLLM,
    VLLM,
    Signature,
)

MEMORY: tuple[Signature, ...] = (
    Signature(
        "gpu-memory-taken",
        r"Free memory on device \S+ \((\S+)/(\S+) GiB\) on startup is less than desired GPU memory utilization \((\S+),",
        "only {1} of {2} GiB are free on a GPU: another process holds the rest, and utilisation {3} is asked for",
        "stop the other process (nvidia-smi names it), or lower options.gpu_memory_utilization",
        "vllm 0.33 v1/worker/utils.py",
        engines=VLLM,
    ),
    Signature(
        "kv-no-room",
        r"No available memory for the cache blocks",
        "weights and activations leave no room for the KV cache",
        "use more GPUs, lower options.max_num_batched_tokens and max_num_seqs, or raise options.gpu_memory_utilization",
        "vllm 0.33 v1/core/kv_cache_planning.py",
        engines=VLLM,
    ),
    Signature(
        "kv-context-too-long",
        r"model's max seq len \((\d+)\).*?\(([\d.]+) GiB KV cache is needed.*?\(([\d.]+) GiB\)"
        r"(?:.*?estimated maximum model length is (\d+))?",
        "a context of {1} tokens needs {2} GiB of KV cache and {3} GiB are there; the longest that fits is {4}",
        "lower options.max_model_len to {4}, use more GPUs, or write options.kv_cache_dtype: fp8",
        "run: vllm 0.32",
        engines=VLLM,
    ),
    Signature(
        "sglang-mem-fraction",
        r"Not enough memory\. Please try to increase --mem-fraction-static",
        "weights leave no room for the KV cache within mem_fraction_static",
        "raise options.mem_fraction_static, use more GPUs, or lower options.context_length",
        "sglang 0.5.23 model_executor/pool_configurator.py",
        engines=SGLANG,
    ),
    Signature(
        "sglang-graph-capture",
        r"Capture cuda graph failed: (.*)",
        "capturing CUDA graphs failed, mostly for want of memory: {1}",
        "lower options.mem_fraction_static (0.8), or options.cuda_graph_max_bs_decode (16)",
        "sglang 0.5.23 model_executor/runner/decode_cuda_graph_runner.py",
        engines=SGLANG,
    ),
    Signature(
        "sglang-memory-unbalanced",
        r"The memory capacity is unbalanced\. Some GPUs may be occupied by other processes",
        "one GPU has less free memory than the others: another process holds it",
        "stop the other process (nvidia-smi names it)",
        "sglang 0.5.23 distributed/bootstrap.py",
        engines=SGLANG,
    ),
    Signature(
        "sglang-retract",
        r"KV cache pool is full\. Retract requests",
        "the KV cache is full and requests are taken back",
        "lower options.max_running_requests, or raise options.mem_fraction_static",
        "sglang 0.5.23 managers/scheduler.py",
        kind=NOTE,
        engines=SGLANG,
    ),
    Signature(
        "trtllm-memory",
        r"Executor creation failed due to insufficient GPU memory",
        "the GPU memory does not hold model, buffers and KV cache; the lines below name the part",
        "lower options.free_gpu_memory_fraction, max_batch_size or max_num_tokens, or use more GPUs",
        "issue NVIDIA/TensorRT-LLM#5872",
        engines=TRTLLM,
    ),
    Signature(
        "weights-do-not-fit",
        r"Failed to load model - not enough GPU memory",
        "the weights do not fit into the GPU",
        "use more GPUs (tensor_parallel, pipeline_parallel) or a quantised checkpoint; plan.yml shows what fits",
        "vllm 0.33 v1/worker/gpu_model_runner.py",
        engines=VLLM,
    ),
    Signature(
        "warmup-oom",
        r"CUDA out of memory occurred when warming up sampler with (\d+) dummy requests",
        "the sampler's warm-up for {1} requests at a time does not fit",
        "lower options.max_num_seqs or options.gpu_memory_utilization",
        "vllm 0.33 v1/worker/gpu_model_runner.py",
        engines=VLLM,
    ),
    Signature(
        "cuda-oom",
        r"(?:OutOfMemoryError|RuntimeError): CUDA out of memory\. Tried to allocate (\S+ \S+?)\.",
        "the GPU's memory is full: {1} more were wanted",
        "lower gpu_memory_utilization or mem_fraction_static and the batch (max_num_batched_tokens, chunked_prefill_size); "
        "options.enforce_eager: true tells whether CUDA graphs are to blame",
        "torch c10/cuda/CUDACachingAllocator.cpp",
    ),
    Signature(
        "cuda-oom-call",
        r"CUDA (?:runtime )?error.*: out of memory|CUDA_ERROR_OUT_OF_MEMORY|NCCL WARN Cuda failure '?(?:2 )?'?out of memory",
        "the GPU's memory is full",
        "leave more of it free: lower gpu_memory_utilization, mem_fraction_static or free_gpu_memory_fraction; stop others",
        "torch; issue NVIDIA/TensorRT-LLM#260",
    ),
    Signature(
        "profile-disturbed",
        r"Error in memory profiling\. Initial free memory",
        "another process freed or took GPU memory while vLLM measured it",
        "start deployments that share a GPU one after the other; stop the other process",
        "vllm 0.33 v1/worker/gpu_worker.py",
        engines=VLLM,
    ),
    Signature(
        "host-memory-kernel",
        r"Out of memory: Killed process \d+ \((\S+?)\)|oom-kill:.*task=(\S+?),",
        "the kernel ended {1} because the host's memory was full",
        "free memory of the host, lower the object store (ray_cluster_object_store_gib), or use a larger host",
        "linux mm/oom_kill.c",
        where=KERNEL,
    ),
    Signature(
        "shm-full",
        r"No space left on device: '?/dev/shm|unable to (?:write to file|resize|open shared memory).*</?(?:torch_|dev/shm|psm_)"
        r"|Bus error.*insufficient shared memory|out of shared memory",
        "/dev/shm is full or too small",
        "enlarge /dev/shm (host_health: shm_gib), or remove what killed engines left there",
        "torch; NCCL misc/shmutils.cc",
    ),
    Signature(
        "nccl-shm",
        r"NCCL WARN (?:Error while creating shared memory segment|Call to posix_fallocate failed|Call to ftruncate failed).*",
        "NCCL finds no room in /dev/shm",
        "enlarge /dev/shm (host_health: shm_gib), or remove what killed engines left there",
        "NCCL misc/shmutils.cc",
    ),
    Signature(
        "shm-manager",
        r"open shm in SHMManager failed\. errno: (\d+)",
        "two ranks look for one shared memory segment although they are on two nodes or in two /dev/shm",
        "containers need the host's IPC; on CPU across nodes gloo must be used instead",
        "run: vllm 0.32 (CPU)",
        engines=VLLM,
    ),
    Signature(
        "disk-full",
        r"\[Errno 28\] No space left on device|no space left on device",
        "a disk is full on this node",
        "free space: df -h names it; /var/lib/docker, /tmp and /var/lib/gpufleet/models are the usual ones",
        "run",
    ),
    Signature(
        "ray-object-store-shm",
        r"The object store is using /tmp instead of /dev/shm|/dev/shm has only (\d+) bytes available",
        "/dev/shm is smaller than Ray's object store",
        "enlarge /dev/shm or lower ray_cluster_object_store_gib",
        "ray 2.60 _private/services.py",
        kind=NOTE,
    ),
    Signature(
        "too-many-files",
        r"(?<!`OSError: )\[Errno 24\] Too many open files",
        "the limit of open files is reached",
        "raise nofile: run os_tuning on this node",
        "run",
    ),
    Signature(
        "nofile-low",
        r"Found ulimit of (\d+) and failed to automatically increase|Fail to set RLIMIT_NOFILE",
        "the limit of open files is low",
        "raise nofile: run os_tuning on this node",
        "run: vllm 0.32, sglang 0.5.23",
        kind=NOTE,
    ),
    Signature(
        "threads-exhausted",
        r"can't start new thread|Resource temporarily unavailable.*(?:fork|thread|pthread)"
        r"|OpenBLAS blas_thread_init: pthread_create failed",
        "no more threads or processes may be made",
        "raise the limit of processes (nproc, TasksMax, pids of the container)",
        "CPython _thread; OpenBLAS",
    ),
    Signature(
        "shm-wait",
        r"No available shared memory broadcast block found in \d+ seconds",
        "a worker of this node is slow or dead: normal while kernels are compiled, fatal when it repeats",
        "look at the other ranks; a first start compiles kernels and may take half an hour",
        "vllm 0.33 distributed/device_communicators/shm_broadcast.py",
        kind=SYMPTOM,
        engines=VLLM,
    ),
    Signature(
        "engine-ready-timeout",
        r"Timed out waiting for engine core processes to start",
        "loading took longer than vLLM waits for its own processes",
        "set VLLM_ENGINE_READY_TIMEOUT_S in the deployment's environment to twice the model's bytes by the disk's speed",
        "vllm 0.33 v1/engine/core_client.py",
        kind=SUSPECT,
        engines=VLLM,
    ),
)
