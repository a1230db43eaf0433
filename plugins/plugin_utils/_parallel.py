# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many ways the parts of a model are split, what a GPU of each stage holds, and which splits are possible.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import math

from ansible_collections.gpufleet.inference.plugins.plugin_utils._model_shape import Shape


@dataclasses.dataclass(frozen=True)
class Parallel:
    """Sizes of the groups. ``data`` attention ranks; ``expert`` says whether whole experts are dealt out.

    vLLM and custom engines multiply: tensor × pipeline × data GPUs. SGLang and TensorRT-LLM keep the attention ranks
    inside of the tensor group: tensor × pipeline GPUs.
    """

    engine: str = "vllm"
    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    expert: bool = False

    @property
    def inside(self) -> bool:
        """Whether data-parallel attention divides the tensor group instead of multiplying it."""
        return self.engine in ("sglang", "tensorrt_llm")

    @property
    def gpus(self) -> int:
        """GPUs of the deployment."""
        return self.tensor * self.pipeline * (1 if self.inside else self.data)

    @property
    def attention_ways(self) -> int:
        """Ways in which attention is split."""
        return max(self.tensor // self.data, 1) if self.inside else self.tensor

    @property
    def expert_ways(self) -> int:
        """Ways in which the experts of a layer are split: all ranks of a stage take part."""
        return self.tensor if self.inside else self.tensor * self.data

    def text(self) -> str:
        """Return for example ``TP8 PP2`` or ``TP1 DP16 EP16``."""
        words = [f"TP{self.tensor}"]
        words += [f"PP{self.pipeline}"] if self.pipeline > 1 else []
        words += [f"DP{self.data}"] if self.data > 1 else []
        return " ".join([*words, *([f"EP{self.expert_ways}"] if self.expert else [])])


def stages(layers: int, count: int) -> list[range]:
    """Return the layers of each pipeline stage, as vLLM divides them: what remains goes to the middle ones, or last but one."""
    sizes = [layers // count] * count
    for at in range(2, layers % count + 2):
        sizes[-at] += 1
    starts = [sum(sizes[:at]) for at in range(count)]
    return [range(start, start + size) for start, size in zip(starts, sizes, strict=True)]


def mistakes(shape: Shape, parallel: Parallel) -> list[str]:
    """Return why a model cannot be split like this, each a sentence that names the sizes that can."""
    ways = parallel.attention_ways
    found: list[str] = []
    if parallel.inside and parallel.tensor % parallel.data:
        found.append(f"data parallel {parallel.data} does not divide tensor parallel {parallel.tensor}")
    if shape.heads % ways:
        found.append(f"{ways} does not divide the {shape.heads} attention heads; {_divisors(shape.heads)} do")
    if not shape.latent and shape.kv_heads % ways and ways % shape.kv_heads:
        found.append(
            f"{ways} neither divides the {shape.kv_heads} KV heads nor is a multiple of them; "
            f"{_divisors(shape.kv_heads)} divide them"
        )
    if parallel.pipeline > shape.layers:
        found.append(f"pipeline parallel {parallel.pipeline} is more than the {shape.layers} layers")
    if parallel.expert and not shape.experts:
        found.append("expert parallel is for models with experts, and this one has none")
    if parallel.expert and shape.experts and parallel.expert_ways > shape.experts:
        found.append(f"{parallel.expert_ways} ranks are more than the {shape.experts} experts")
    elif parallel.expert and parallel.inside and shape.experts % parallel.expert_ways:
        found.append(f"{parallel.expert_ways} does not divide the {shape.experts} experts")
    return found + _widths(shape, parallel)


def _widths(shape: Shape, parallel: Parallel) -> list[str]:
    """Look at the widths of the MLPs: whole numbers, and whole blocks or groups where that part is quantised."""
    moe = f"model.layers.{shape.moe_layers[0]}.mlp" if shape.experts and shape.moe_layers else ""
    parts = []
    if len(shape.moe_layers) < shape.layers:
        parts.append(("the dense MLP", "model.layers.0.mlp", shape.intermediate, parallel.tensor))
    if moe and not parallel.expert:
        parts.append(("an expert", f"{moe}.experts.0", shape.expert_intermediate, parallel.expert_ways))
    if moe and shape.shared_intermediate:
        parts.append(("the shared expert", f"{moe}.shared_experts", shape.shared_intermediate, parallel.tensor))
    found = []
    for name, module, width, ways in parts:
        unit, what = _unit(shape, f"{module}.down_proj")
        if width % ways:
            found.append(f"{ways} does not divide the {width} columns of {name}")
        elif (width // ways) % unit and not width % unit:
            most = math.gcd(width // unit, ways)
            found.append(f"{width} columns of {name} / {ways} = {width // ways}, not whole {what}; at most {most} ways")
    return found


def _unit(shape: Shape, module: str) -> tuple[int, str]:
    """Return how many columns of a module share a scale and must stay together, with a word for them.

    Of the four-bit float formats engines pad what is left over.
    """
    quantization = shape.quantization
    if not quantization.covers(module):
        return 1, ""
    if quantization.block:
        return quantization.block[0], f"blocks of {quantization.block[0]}"
    if quantization.method in ("awq", "gptq", "int4", "int8") and quantization.group:
        return quantization.group, f"groups of {quantization.group}"
    return 1, ""


def _divisors(number: int) -> str:
    return ", ".join(str(one) for one in range(1, number + 1) if number % one == 0)


def node_mistakes(parallel: Parallel, nodes: int, gpus_per_node: int) -> list[str]:
    """Return why the ranks cannot be laid out on ``nodes`` nodes of ``gpus_per_node`` GPUs each."""
    found = []
    if parallel.gpus > nodes * gpus_per_node:
        found.append(f"{parallel.text()} needs {parallel.gpus} GPUs, there are {nodes} × {gpus_per_node}")
    elif nodes and parallel.gpus % nodes and parallel.gpus > gpus_per_node:
        found.append(f"{parallel.gpus} ranks cannot be spread evenly over {nodes} nodes")
    return found
