# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: parallelism
short_description: Propose how to split a model over GPUs
version_added: 0.1.0
description:
  - Proposes the smallest and the fastest split of a model that fits on the nodes, each with its reason.
  - Neither reads nor writes anything.
author:
  - The gpufleet founders (@gpufleet)
positional: _input
options:
  _input:
    description: A deployment, as in C(engine_deployments); its parallel sizes are not looked at.
    type: dict
    required: true
  model:
    description: What P(gpufleet.inference.model_info#module) returned for its model.
    type: dict
    required: true
  nodes:
    description: Nodes, as for P(gpufleet.inference.sizing#filter), as a list.
    type: list
    elements: dict
    required: true
  concurrency:
    description: Requests at once for which it shall be fast.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Show the proposals
  ansible.builtin.debug:
    msg: "{{ deployment | gpufleet.inference.parallelism(model=read.models.r1, nodes=[{'gpus': 8, 'gpu_gib': 139.8}]) }}"
"""

RETURN = r"""
_value:
  description:
    - C(smallest), C(fastest) and C(problem). A proposal has C(parallel), C(tensor_parallel), C(pipeline_parallel),
      C(data_parallel), C(expert_parallel), C(gpus), C(why) and the C(result) of its sizing; it is none when nothing fits.
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sizing_overview


def parallelism(
    deployment: t.Mapping[str, t.Any],
    model: t.Mapping[str, t.Any],
    nodes: t.Sequence[t.Mapping[str, t.Any]],
    concurrency: int = 0,
) -> dict[str, t.Any]:
    """Return the proposals; see ``_sizing_overview.proposals``."""
    return _sizing_overview.proposals(deployment, model, nodes, concurrency)


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"parallelism": parallelism}
