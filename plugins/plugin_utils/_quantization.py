# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the weights of a checkpoint are quantised: bytes per matrix, and which modules are left as they are.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Read from ``quantization_config`` of config.json, in the dialects of block FP8 (DeepSeek, Qwen), fbgemm_fp8, AWQ, GPTQ,
compressed-tensors, ModelOpt (FP8, NVFP4), MXFP4 (gpt-oss), bitsandbytes and INT8.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import math
import re
import typing as t

#: Bits of what a config calls a weight type.
BITS = {"FP8": 8, "W8A8": 8, "NVFP4": 4, "MXFP4": 4, "W4A16_AWQ": 4, "W4A16": 4}

#: Modules that no quantiser touches, whatever the list of exceptions says.
NEVER = ("embed_tokens", "lm_head", "norm", "gate", "router", "shared_expert_gate")


@dataclasses.dataclass(frozen=True)
class Quantization:
    """Weights of ``bits`` bits; with scales of ``scale_bytes`` per group of an input row, per ``block`` or per row.

    group 0 is one scale per output row; ``zero_bits`` is the width of a group's zero point, 0 when there is none.
    ``skipped`` are the module names, globs or ``re:`` expressions that stay in the model's own type.
    """

    method: str = ""
    bits: int = 16
    group: int = 0
    block: tuple[int, int] | None = None
    scale_bytes: int = 2
    zero_bits: int = 0
    skipped: tuple[str, ...] = ()

    def covers(self, module: str) -> bool:
        """Tell whether a module such as ``model.layers.3.mlp.up_proj`` is quantised."""
        if not self.method or module.rsplit(".", 1)[-1] in NEVER or "norm" in module.rsplit(".", 1)[-1]:
            return False
        return not any(_matches(pattern, module) for pattern in self.skipped)

    def matrix_bytes(self, rows: int, columns: int) -> int:
        """Return the bytes of one quantised matrix of ``rows`` outputs and ``columns`` inputs, with scales."""
        weights = rows * columns * self.bits // 8
        if self.block:
            return weights + math.ceil(rows / self.block[0]) * math.ceil(columns / self.block[1]) * self.scale_bytes
        groups = rows * (math.ceil(columns / self.group) if self.group else 1)
        return weights + groups * self.scale_bytes + groups * self.zero_bits // 8


def _matches(pattern: str, module: str) -> bool:
    if pattern.startswith("re:"):
        return re.match(pattern[3:], module) is not None
    if "*" in pattern:
        return fnmatch.fnmatchcase(module, pattern) or fnmatch.fnmatchcase(module, pattern + ".*")
    return module == pattern or module.startswith(pattern + ".") or f".{pattern}." in f".{module}."


def parse(config: t.Mapping[str, t.Any]) -> Quantization:
    """Return the quantisation that ``quantization_config`` or ``compression_config`` describes; none when absent.

    Raises ValueError for a method whose bytes are not known.
    """
    raw = config.get("quantization_config") or config.get("compression_config") or {}
    if not raw:
        return Quantization()
    method = str(raw.get("quant_method") or raw.get("quant_algo") or "").lower().replace("_", "-")
    skipped = _words(
        raw, "modules_to_not_convert", "ignore", "exclude_modules", "ignored_layers", "llm_int8_skip_modules"
    )
    if method in ("compressed-tensors", "quark"):
        return _compressed(raw, skipped)
    if method.startswith("modelopt") or raw.get("quant_algo"):
        return _modelopt(raw, skipped)
    if method == "mxfp4":
        # One byte of shared exponent per 32 weights; gpt-oss quantises experts alone.
        return Quantization("mxfp4", 4, 32, None, 1, 0, (*skipped, "self_attn"))
    if method in ("awq", "awq-marlin", "gptq", "gptq-marlin", "auto-round"):
        bits, group = int(raw.get("bits") or raw.get("w_bit") or 4), int(raw.get("group_size") or 128)
        zeros = bits if raw.get("zero_point", method.startswith("gptq")) else 0
        return Quantization(method.split("-")[0], bits, max(group, 0), None, 2, zeros, skipped)
    if method in ("fp8", "fbgemm-fp8"):
        size = raw.get("weight_block_size")
        block = (int(size[0]), int(size[1])) if size else None
        return Quantization("fp8", 8, 0, block, 4, 0, skipped)
    if method in ("w8a8-int8", "int8", "blockwise-int8"):
        return Quantization("int8", 8, 0, None, 4, 0, skipped)
    if method == "bitsandbytes":
        four = bool(raw.get("load_in_4bit"))
        return Quantization("bitsandbytes", 4 if four else 8, 64 if four else 0, None, 1 if four else 4, 0, skipped)
    raise ValueError(f"quantization_config: the bytes of {method or 'a nameless method'} are not known")


def _compressed(raw: t.Mapping[str, t.Any], skipped: tuple[str, ...]) -> Quantization:
    groups = list((raw.get("config_groups") or {}).values())
    weights = (groups[0].get("weights") or {}) if groups else {}
    bits, group = int(weights.get("num_bits") or 8), int(weights.get("group_size") or 0)
    kind = "int" if weights.get("type") == "int" else "fp"
    block = weights.get("block_structure") if weights.get("strategy") == "block" else None
    return Quantization(
        f"{kind}{bits}",
        bits,
        max(group, 0),
        (int(block[0]), int(block[1])) if block else None,
        # NVFP4 keeps its scales of 16 weights in FP8.
        1 if kind == "fp" and bits == 4 else 2,
        0 if weights.get("symmetric", True) else bits,
        skipped,
    )


def _modelopt(raw: t.Mapping[str, t.Any], skipped: tuple[str, ...]) -> Quantization:
    inner = raw.get("quantization") or raw
    algorithm = str(inner.get("quant_algo") or "FP8").upper()
    bits = next((BITS[key] for key in BITS if algorithm.startswith(key)), 0)
    if not bits:
        raise ValueError(f"quantization_config: the bytes of {algorithm} are not known")
    group = int(inner.get("group_size") or (16 if bits == 4 else 0))
    skipped = skipped or _words(inner, "exclude_modules", "ignore")
    return Quantization(algorithm.lower(), bits, group, None, 1 if bits == 4 else 4, 0, skipped)


def _words(raw: t.Mapping[str, t.Any], *keys: str) -> tuple[str, ...]:
    return tuple(str(word) for key in keys for word in raw.get(key) or ())
