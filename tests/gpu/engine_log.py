# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a starting vLLM logs of its memory, as figures. GiB and seconds; of several ranks the greatest, of caches the least."""

from __future__ import annotations

import re

_NUMBER = r"([\d.,]+)"

#: Figure → the sentence of vLLM 0.21 to 0.33 that holds it.
SENTENCES = {
    "weights_gib": rf"Model loading took {_NUMBER} GiB",
    "load_seconds": rf"Model loading took [\d.]+ GiB(?: memory)? and {_NUMBER} seconds",
    "kv_gib": rf"Available KV cache memory: {_NUMBER} GiB",
    "kv_tokens": rf"GPU KV cache size: {_NUMBER} tokens",
    "concurrency": rf"Maximum concurrency for [\d,]+ tokens per request: {_NUMBER}x",
    "context": rf"Maximum concurrency for {_NUMBER} tokens per request",
    "free_gib": rf"Free memory on device \({_NUMBER}/[\d.]+ GiB\)",
    "gpu_gib": rf"Free memory on device \([\d.]+/{_NUMBER} GiB\)",
    "utilization": rf"Desired GPU memory utilization is \({_NUMBER}, ",
    "requested_gib": rf"Desired GPU memory utilization is \([\d.]+, {_NUMBER} GiB\)",
    "activation_gib": rf"{_NUMBER} GiB for peak activation",
    "non_torch_gib": rf"{_NUMBER} GiB for non-torch memory",
    "graphs_estimated_gib": rf"Estimated CUDA graph memory: {_NUMBER} GiB",
    "graphs_gib": rf"Graph capturing finished in [\d.]+ secs, took {_NUMBER} GiB",
    "graphs_seconds": rf"Graph capturing finished in {_NUMBER} secs",
    "compile_seconds": rf"\(compilation: {_NUMBER} s",
    "init_seconds": rf"init engine \(profile, create kv cache, warmup model\) took {_NUMBER} s",
}

#: Of these the poorest rank decides.
LEAST = ("kv_gib", "kv_tokens", "concurrency", "free_gib", "gpu_gib")

#: Lines worth keeping beside those that hold a figure: what was chosen, and why.
CHOSEN = re.compile(
    r"Using .*(?:backend|kernel|[Rr]unner|experts|sampling)|CUDA graph memory|CUDA graph pool|non-default args|Dynamo bytecode|"
    r"torch\.compile took|Initializing a V1 LLM engine|world_size|all-reduce|allreduce|multicast|symmetric"
)

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def figures(log: str) -> dict[str, float]:
    """Return the figures of a log; what it does not tell is absent."""
    found: dict[str, float] = {}
    for name, sentence in SENTENCES.items():
        values = [float(one.replace(",", "")) for one in re.findall(sentence, log)]
        if values:
            found[name] = min(values) if name in LEAST else max(values)
    return found


def lines(log: str) -> list[str]:
    """Return the lines that hold figures, or say what was chosen, without colours; each once."""
    sentences = re.compile("|".join(re.sub(r"\((?!\?)(?=\[)", "(?:", one) for one in SENTENCES.values()))
    plain = [_COLOUR.sub("", line).strip()[:700] for line in log.replace("\r", "\n").splitlines()]
    return list(dict.fromkeys(line for line in plain if sentences.search(line) or CHOSEN.search(line)))
