# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: sizing
short_description: Say whether deployments fit, and by how much
version_added: 0.1.0
description:
  - Computes the account of the GPU memory of each deployment - weights, what the engine needs to compute, KV cache - and
    what that leaves for requests.
  - Neither reads nor writes anything.
author:
  - The gpufleet founders (@gpufleet)
positional: _input
options:
  _input:
    description: Deployments, as in C(engine_deployments); an item may have C(force) and C(concurrency).
    type: list
    elements: dict
    required: true
  models:
    description: What P(gpufleet.inference.model_info#module) returned as C(models).
    type: dict
    required: true
  nodes:
    description:
      - By name, each with C(gpus), their number, and C(gpu_gib), the memory of one as CUDA reports it.
      - May also have C(gpu_kind), C(gpu_gbs) (bandwidth of the memory), C(read_gbs) (speed at which weights are read) and
        C(warm) (whether kernels are compiled already).
    type: dict
    required: true
  concurrency:
    description: Requests at once that are wished where a deployment wishes none itself.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Show the table
  ansible.builtin.debug:
    msg: "{{ (engine_deployments | gpufleet.inference.sizing(models=read.models, nodes=gpus)).table }}"
"""

RETURN = r"""
_value:
  description:
    - C(deployments), C(table) (lines) and C(mistakes), a sentence for each deployment that must not be started.
    - An entry of C(deployments) has C(fits) (none when it could not be told), C(spare_gib), C(weights_gib), C(kv_gib),
      C(kv_tokens), C(concurrency), C(longest_context), C(load_gib), C(start_seconds), C(sentences) and C(nearest), the
      changes with which it would fit.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sizing_overview


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"sizing": _sizing_overview.overview}
