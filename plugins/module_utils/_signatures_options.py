# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures of parallel sizes, flags and values that an engine refuses.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.module_utils._signature import (
    NOTE,
    SGLANG,
    TRTLLM,
    VLLM,
    Signature,
)

OPTIONS: tuple[Signature, ...] = (
    Signature(
        "heads-not-divisible",
        r"Total number of attention heads \((\d+)\) must be divisible by tensor parallel size \((\d+)\)",
        "{1} attention heads cannot be split over tensor_parallel {2}",
        "set tensor_parallel to a divisor of {1}, and use pipeline_parallel for the rest",
        "run: vllm 0.32",
    ),
    Signature(
        "heads-not-divisible-assert",
        r"assert self\.(?:total_num_heads|total_num_kv_heads|num_heads|num_attention_heads) % (?:tp_size|attn_tp_size|self\.tp_size) == 0"
        r"|assert num_heads % (?:attn_)?tp_size == 0",
        "the attention heads cannot be split over tensor_parallel",
        "set tensor_parallel to a divisor of num_attention_heads in the model's config.json",
        "sglang 0.5.23 models/llama.py",
    ),
    Signature(
        "size-not-divisible",
        r"AssertionError: (\d+) is not divisible by (\d+)",
        "a size of {1} in the model cannot be split over {2} ranks",
        "lower tensor_parallel and raise pipeline_parallel",
        "sglang 0.5.23 and vllm 0.33 distributed/utils.py",
    ),
    Signature(
        "fp8-block",
        r"= (\d+) is not divisible by weight quantization block_[nk] = (\d+)",
        "a slice of {1} columns is no multiple of the FP8 block {2}: tensor_parallel is too large for this checkpoint",
        "lower tensor_parallel and raise pipeline_parallel, or split experts instead (expert parallel)",
        "vllm 0.33 quantization/utils/fp8_utils.py, sglang 0.5.23 layers/quantization/fp8.py",
    ),
    Signature(
        "tp-exceeds-experts",
        r"Tensor parallel size (\d+) is greater than the number of experts (\d+)",
        "tensor_parallel {1} is more than the model's {2} experts",
        "lower tensor_parallel",
        "sglang 0.5.23 models/deepseek_v2.py",
        engines=SGLANG,
    ),
    Signature(
        "tp-nodes",
        r"tp_size must be divisible by (?:number of nodes|\S+)",
        "tensor_parallel cannot be split as the other sizes ask for",
        "make tensor_parallel a multiple of the number of nodes and of the attention data parallel size",
        "sglang 0.5.23 arg_groups/validation_hook.py",
        engines=SGLANG,
    ),
    Signature(
        "nodes-not-dividing",
        r"`--nnodes (\d+)` must evenly divide the total world size \((\d+)\)",
        "{2} ranks cannot be spread over {1} nodes",
        "make tensor_parallel × pipeline_parallel a multiple of the number of nodes",
        "run: vllm 0.32",
        engines=VLLM,
    ),
    Signature(
        "pipeline-not-supported",
        r"Pipeline parallelism is not supported for this model",
        "the model's code has no pipeline parallelism",
        "set pipeline_parallel: 1 and use tensor_parallel",
        "vllm 0.33 config/model.py",
        engines=VLLM,
    ),
    Signature(
        "gpus-too-few",
        r"World size \((\d+)\) is larger than the number of available GPUs \((\d+)\) in this node",
        "the container sees {2} GPUs and the deployment wants {1}",
        "lower tensor_parallel × pipeline_parallel, or find the GPUs that this node hides (gpu_health)",
        "vllm 0.33 config/parallel.py",
        engines=VLLM,
    ),
    Signature(
        "flag-unknown",
        r"error: unrecognized arguments: (\S+)",
        "this release of the engine has no flag {1}",
        "remove it from extra_args, or write today's name of it (docs/deployments.md)",
        "run: vllm 0.32, sglang 0.5.23",
    ),
    Signature(
        "flag-unknown-trtllm",
        r"Error: No such option: (\S+)",
        "this release of TensorRT-LLM has no flag {1}",
        "remove it from extra_args, or write today's name of it (docs/deployments.md)",
        "click, as used by TensorRT-LLM commands/serve.py",
        engines=TRTLLM,
    ),
    Signature(
        "flag-ambiguous",
        r"error: ambiguous option: (\S+) could match",
        "{1} is an abbreviation of several flags",
        "write the flag out in extra_args",
        "run: sglang 0.5.23",
    ),
    Signature(
        "flag-value",
        r"error: argument (\S+): (?:invalid choice: '?([^' ]+)|invalid \w+ value|expected \w+ argument)",
        "the value of {1} is not one that this release takes",
        "the same line lists what it takes; correct the option or extra_args",
        "run: vllm 0.32, sglang 0.5.23",
    ),
    Signature(
        "reasoning-parser-unknown",
        r"[Rr]easoning parser '?:? ?(\S+?)'? (?:not found|\(chose from)|invalid reasoning parser: (\S+)",
        "there is no reasoning parser {1} in this release",
        "the line lists the known ones; correct options.reasoning_parser",
        "run: vllm 0.32",
        engines=VLLM,
    ),
    Signature(
        "tool-parser-unknown",
        r"[Tt]ool parser '(\S+?)' not found|invalid tool call parser: (\S+)",
        "there is no tool call parser {1} in this release",
        "the line lists the known ones; correct options.tool_call_parser",
        "vllm 0.33 entrypoints/common/cli_args.py",
        engines=VLLM,
    ),
    Signature(
        "tool-parser-absent",
        r"--enable-auto-tool-choice requires --tool-call-parser",
        "automatic tool choice needs a tool call parser",
        "write options.tool_call_parser, or leave out options.enable_auto_tool_choice",
        "vllm 0.33 entrypoints/common/cli_args.py",
        engines=VLLM,
    ),
    Signature(
        "not-a-reasoning-model",
        r"reasoning parser could not locate think",
        "the tokenizer has no <think> tokens: this is not a reasoning model of that parser",
        "leave out options.reasoning_parser, or name the parser of this model",
        "run: vllm 0.32",
        engines=VLLM,
    ),
    Signature(
        "backend-nodes",
        r"nnodes > 1 can only be set when distributed executor",
        "the native multi-node mode was mixed with another executor",
        "leave --nnodes to the engine vllm_native, and --distributed-executor-backend to vllm",
        "vllm 0.33 config/parallel.py",
        engines=VLLM,
    ),
    Signature(
        "tp-crosses-nodes",
        r"tensor_parallel_size=(\d+) is bigger than a reserved number of GPUs",
        "tensor_parallel {1} crosses nodes",
        "without InfiniBand use pipeline_parallel between nodes",
        "run: vllm 0.32",
        kind=NOTE,
        engines=VLLM,
    ),
)
