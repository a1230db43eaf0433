#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: engine_diagnosis
short_description: Name the cause and the fix of a start that failed
version_added: 0.2.0
description:
  - Reads the logs of the ranks on this node, how their containers ended, what their supervisor says, the kernel's log, and
    what is full; compares all of it with about 150 known lines of vLLM, SGLang, TensorRT-LLM, Ray, NCCL and Docker.
  - What names a cause comes before what only shows one, then the earliest.
  - The filter P(gpufleet.inference.engine_diagnosis#filter) merges the results of all nodes to one cause.
  - Keys and tokens in logs are replaced by V(***).
extends_documentation_fragment:
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  ranks:
    description: The ranks of this node.
    type: list
    elements: dict
    required: true
    suboptions:
      rank:
        description: Its number in the group.
        type: int
        required: true
      engine:
        description: The engine, or V(ray) for a member of the Ray cluster.
        type: str
        required: true
      container:
        description: Name of the container.
        type: str
        required: true
      unit:
        description: Name of the systemd unit that supervises it.
        type: str
        required: true
  with_logs:
    description: Whether the logs are returned too, at most some MiB each.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Ask why the ranks of this node did not start
  gpufleet.inference.engine_diagnosis:
    ranks:
      - rank: 0
        engine: vllm
        container: gpufleet-engine-r1-rank0
        unit: gpufleet-engine-r1.service
  register: diagnosis

- name: Show the one cause of the group
  ansible.builtin.debug:
    msg: "{{ (dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'diagnosis')))
             | gpufleet.inference.engine_diagnosis).text }}"
  run_once: true
"""

RETURN = r"""
findings:
  description: What is known, best first. Empty for ranks that are ready, and where nothing points to a failure.
  returned: always
  type: list
  elements: dict
  sample:
    - name: gpu-memory-taken
      kind: root
      cause: "only 12.4 of 139.8 GiB are free on a GPU: another process holds the rest, and utilisation 0.92 is asked for"
      fix: stop the other process (nvidia-smi names it), or lower options.gpu_memory_utilization
      source: vllm 0.33 v1/worker/utils.py
      evidence: ["ValueError: Free memory on device cuda:2 (12.4/139.8 GiB) on startup is less than …"]
      time: "2026-11-22T04:11:02.120000000Z"
      line: 812
      rank: 0
      container: gpufleet-engine-r1-rank0
      from_address: ""
ranks:
  description: Each rank with its C(container), C(state) (none without a container), C(status), C(facts) and number of C(lines).
  returned: always
  type: list
  elements: dict
problems:
  description: What could not be looked at, each a sentence.
  returned: always
  type: list
  elements: str
logs:
  description: Each C(container) with the C(text) of its log, beginning and end, when O(with_logs).
  returned: always
  type: list
  elements: dict
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _rank_look
from ansible_collections.gpufleet.inference.plugins.module_utils._diagnosis import (
    best_first,
    findings,
    without_secrets,
)

SHOWN = ("rank", "container", "unit", "state", "status", "facts")


def look(ranks: t.Sequence[t.Mapping[str, t.Any]], with_logs: bool) -> dict[str, t.Any]:
    """Return findings, ranks, problems and logs of all ranks of this node."""
    found, shown, problems = [], [], []
    logs: list[dict[str, str]] = []
    for one in ranks:
        rank, more = _rank_look.rank(one["rank"], one["engine"], one["container"], one["unit"])
        found += findings(rank)
        problems += [f"{one['container']}: {problem}" for problem in more]
        shown.append({**{key: rank[key] for key in SHOWN}, "lines": rank["log"].count("\n")})
        if with_logs:
            logs.append({"container": one["container"], "text": without_secrets(rank["log"])})
    return {"findings": best_first(found), "ranks": shown, "problems": problems, "logs": logs}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "ranks": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "rank": {"type": "int", "required": True},
                    "engine": {"type": "str", "required": True},
                    "container": {"type": "str", "required": True},
                    "unit": {"type": "str", "required": True},
                },
            },
            "with_logs": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, **look(module.params["ranks"], module.params["with_logs"]))


if __name__ == "__main__":
    main()
