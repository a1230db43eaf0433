# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures of models that an engine refuses.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.module_utils._signature import (
    SGLANG,
    TRTLLM,
    VLLM,
    Signature,
)

MODEL: tuple[Signature, ...] = (
    Signature(
        "model-path-missing",
        r"Repo id must be in the form .*: '([^']+)'",
        "the model directory {1} does not exist on this node or in this container; a wrong path is reported as a wrong name",
        "run serve.yml, which copies the model, and check engine_deployments' model and mounts",
        "run: vllm 0.32, sglang 0.5.23",
    ),
    Signature(
        "model-config-missing",
        r"does not appear to have a file named (\S+?)\.? |Invalid repository ID or local directory specified: '([^']+)'",
        "the model directory has no {1}: it is empty, half copied or not a model",
        "run serve.yml, which compares the directory with its manifest and repairs it",
        "transformers utils/hub.py; vllm 0.33 transformers_utils/config.py",
    ),
    Signature(
        "model-hub-offline",
        r"OfflineModeIsEnabled|LocalEntryNotFoundError|outgoing traffic has been disabled",
        "the engine wants to fetch a file from a hub and is offline on purpose",
        "the file belongs into the model directory (or a mount): add it to the model's source and run serve.yml",
        "huggingface_hub; peers.md 15",
    ),
    Signature(
        "weights-missing",
        r"Cannot find any model weights with `([^`]+)`|No such file or directory: \S*?(\S+\.safetensors)",
        "there are no weights, or a shard is missing, in {1}",
        "run serve.yml, which compares the directory with its manifest and repairs it",
        "vllm 0.33 model_loader/default_loader.py",
    ),
    Signature(
        "weights-broken",
        r"SafetensorError: .*?(?:Error while deserializing header|[Mm]etadata\w* ?\w*|InvalidHeader\w*|HeaderTooLarge)",
        "a weight file is cut off or damaged",
        "run serve.yml: model_store compares every file with its checksum and repairs the bad ones",
        "safetensors; vllm PR#53537",
    ),
    Signature(
        "weights-shape",
        r"AssertionError: Attempted to load weight \((\S+.*?)\) into parameter|size mismatch for (\S+):",
        "a weight has another shape than the model code expects: checkpoint and config.json do not belong together",
        "compare quantisation and revision of config.json with the weights; load the whole model again",
        "vllm 0.33 model_loader/weight_utils.py",
    ),
    Signature(
        "architecture-unknown",
        r"Model architectures \[(.+?)\] are not supported for now",
        "this release of vLLM does not know the architecture {1}",
        "use a newer image, or another engine",
        "run: vllm 0.32",
        engines=VLLM,
    ),
    Signature(
        "architecture-not-inspected",
        r"Model architectures \[(.+?)\] failed to be inspected",
        "vLLM knows {1}, but importing its code failed: a library is missing or broken in the image",
        "read the traceback above this line; use the release's own image",
        "vllm 0.33 models/registry.py",
        engines=VLLM,
    ),
    Signature(
        "architecture-removed",
        r"Model architecture (\S+) (?:was supported in vLLM until|is not supported in-tree anymore)",
        "this release of vLLM no longer has the architecture {1}",
        "use the older release or the plug-in that the line names",
        "vllm 0.33 models/registry.py",
        engines=VLLM,
    ),
    Signature(
        "architecture-unknown-sglang",
        r"Cannot find model module\. '([^']+)' is not a registered",
        "this release of SGLang does not know the architecture {1}",
        "use a newer image, or another engine",
        "sglang 0.5.23 model_loader/utils.py",
        engines=SGLANG,
    ),
    Signature(
        "architecture-unknown-trtllm",
        r"Unknown architecture for AutoModelForCausalLM: (\S+)|Unsupported architecture: (\S+)",
        "this release of TensorRT-LLM does not know the architecture {1}",
        "use a newer image, or another engine",
        "TensorRT-LLM _torch/models/modeling_auto.py",
        engines=TRTLLM,
    ),
    Signature(
        "transformers-too-old",
        r"model type `?'?(\S+?)`?'? but Transformers does not recognize this architecture",
        "the image's transformers library is older than the model type {1}",
        "use a newer image of the engine",
        "run: vllm 0.32",
    ),
    Signature(
        "remote-code",
        r"requires you to execute the (?:configuration|tokenizer|\w+) file|consider setting `trust_remote_code=True`",
        "the model brings code of its own, which is not trusted by default",
        "read that code; then write options.trust_remote_code: true",
        "vllm 0.33 transformers_utils/config.py",
    ),
    Signature(
        "tokenizer-broken",
        r"Couldn't instantiate the backend tokenizer|Can't load tokenizer for '([^']+)'"
        r"|data did not match any variant of untagged enum|Converting from SentencePiece and Tiktoken failed",
        "the tokenizer's files are missing or of another library release",
        "copy tokenizer.json and tokenizer_config.json of the same revision into the model; use a newer image",
        "transformers tokenization_utils_fast.py",
    ),
    Signature(
        "chat-template-missing",
        r"The supplied chat template .*does not exist|chat template .*\(([^)]+)\) looks like a file path, but it failed to be opened"
        r"|Chat template \S+ is not a built-in template name or a valid chat template file path",
        "the chat template is not a file in the container",
        "mount it: add it to the deployment's mounts, and write its path in the container",
        "vllm 0.33 renderers/hf.py; sglang 0.5.23 managers/template_manager.py",
    ),
    Signature(
        "context-too-long",
        r"max_model_len \((\d+)\) is greater than the derived max_model_len \(\w+=(\S+)",
        "options.max_model_len {1} is more than the model was made for ({2})",
        "lower options.max_model_len",
        "run: vllm 0.32",
        engines=VLLM,
    ),
    Signature(
        "context-too-long-sglang",
        r"context_length \((\d+)\) is greater than the derived context_length \((\d+)\)",
        "options.context_length {1} is more than the model was made for ({2})",
        "lower options.context_length to {2}",
        "sglang 0.5.23 configs/model_config.py",
        engines=SGLANG,
    ),
    Signature(
        "quantization-unknown",
        r"Unknown quantization method: (\S+?)\. ",
        "there is no quantisation {1} in this release",
        "the line lists the known ones; leave out options.quantization, the checkpoint says it itself",
        "run: vllm 0.32",
    ),
    Signature(
        "quantization-not-the-models",
        r"Cannot find the config file for (\S+)"
        r"|Quantization method specified in the model config \((\S+)\) does not match",
        "the checkpoint is not of the quantisation that options.quantization names ({1})",
        "leave out options.quantization, the checkpoint says it itself",
        "run: vllm 0.32",
    ),
    Signature(
        "quantization-gpu-too-old",
        r"The quantization method (\S+) is not supported for the current GPU\. Minimum capability: (\d+)"
        r"|Quantization scheme is not supported for the current GPU",
        "this GPU is too old for the checkpoint's quantisation {1}",
        "use a checkpoint of another quantisation, or newer GPUs",
        "vllm 0.33 config/vllm.py",
    ),
    Signature(
        "bfloat16-gpu-too-old",
        r"Bfloat16 is only supported on GPUs",
        "this GPU has no bfloat16 (T4, V100)",
        "write options.dtype: half",
        "vllm 0.33 platforms/cuda.py",
    ),
    Signature(
        "attention-backend",
        r"No valid attention backend found for (.+?) with",
        "no attention kernel of this image fits this GPU, head size and KV dtype",
        "leave out options.kv_cache_dtype and any attention backend in extra_args; the line lists the reasons",
        "vllm 0.33 platforms/cuda.py",
        engines=VLLM,
    ),
    Signature(
        "lora-rank",
        r"LoRA rank (\d+) is greater than max_lora_rank\s+(\d+)",
        "an adapter has rank {1}, the engine was told {2} at most",
        "write options.max_lora_rank: {1}",
        "vllm 0.33 lora/peft_helper.py",
        engines=VLLM,
    ),
)
