# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Models and published figures for the tests of sizing."""

from __future__ import annotations

import pathlib
import typing as t

import yaml

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sizing
from ansible_collections.gpufleet.inference.plugins.plugin_utils._parallel import Parallel
from ansible_collections.gpufleet.inference.plugins.plugin_utils._sizing_wish import Wish

CASES = pathlib.Path(__file__).parent / "sizing_cases"
CONFIGS: dict[str, t.Any] = yaml.safe_load((CASES / "models.yml").read_text(encoding="utf-8"))
POINTS: list[dict[str, t.Any]] = yaml.safe_load((CASES / "points.yml").read_text(encoding="utf-8"))

#: GiB of a GPU, as CUDA reports them.
GPU_GIB = {"T4": 14.58, "A100-40": 39.39, "A100 80": 79.14, "H100": 79.11, "H20": 95.0, "H200": 139.8}


def config(name: str) -> dict[str, t.Any]:
    """Return the config.json of a public model; the kinds of its layers are written out."""
    found = dict(CONFIGS[name])
    kinds = found.get("layer_types")
    if kinds:
        found["layer_types"] = [kinds[at % len(kinds)] for at in range(found["num_hidden_layers"])]
    return found


def model(name: str) -> _sizing.Model:
    """Return a public model by the formula of its architecture."""
    return _sizing.model({"config": config(name)}, name)


def wish(tensor: int = 1, pipeline: int = 1, engine: str = "vllm", **more: t.Any) -> Wish:
    """Return a wish; ``data`` and ``expert`` are of its split."""
    split = Parallel(engine, tensor, pipeline, more.pop("data", 1), more.pop("expert", False))
    return Wish(parallel=split, **more)


def fleet(kind: str, gpus: int = 1, nodes: int = 1, **more: t.Any) -> _sizing.Fleet:
    """Return nodes with GPUs of a kind of ``GPU_GIB``."""
    return _sizing.Fleet(nodes, gpus, GPU_GIB[kind], kind, **more)
