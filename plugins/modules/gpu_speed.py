#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_speed
short_description: Burn in the GPUs of a node and return the figures
version_added: 0.1.0
description:
  - Runs the script of the role P(gpufleet.inference.burn_in#role) in bounded time, in an engine image or on the host itself,
    and C(dcgmi diag) where it is asked for and installed.
  - Does not fail - what went wrong is C(problem) of a measurement. It loads the cards and changes none of their settings.
  - It does nothing in check mode.
attributes:
  check_mode:
    description: Nothing is measured, the task is skipped.
    support: none
  diff_mode:
    description: There is nothing to show.
    support: none
  idempotent:
    description: It changes nothing, but two measurements differ.
    support: none
author:
  - The gpufleet founders (@gpufleet)
options:
  node:
    description: Name of this node, for the measurements.
    type: str
    required: true
  argv:
    description: The command. Empty when it is known that nothing can be measured; O(problem) says why.
    type: list
    elements: str
    default: []
  problem:
    description: Why nothing can be measured.
    type: str
    default: ""
  seconds:
    description: What O(argv) may take.
    type: int
    default: 360
  container:
    description: Name of the container that O(argv) starts, to remove it when its time is over.
    type: str
    default: ""
  dcgm_level:
    description: Level of C(dcgmi diag), after everything else; V(0) leaves it out.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Measure on a host with its own torch
  gpufleet.inference.gpu_speed:
    node: gpu1
    argv: [/opt/torch/bin/python3, /usr/local/lib/gpufleet/burn_in/gpu_burn_in.py, --tier, quick, --node, gpu1]
  register: measured
"""

RETURN = r"""
run:
  description:
    - C(fleet), what is known of this node, and C(measurements) as all measurements of the role
      P(gpufleet.inference.burn_in#role).
  returned: always
  type: dict
  sample:
    fleet: {gpu1: {gpu: NVIDIA H200, gpus: 8, driver: 580.159.04}}
    measurements:
      - node: gpu1
        peer: ""
        kind: hbm_copy
        subject: gpu 0
        value: 4301.2
        unit: GB/s
        parameters: {bytes: 4294967296, counted: read and written}
        series: []
        samples: [4301.2]
        tool: torch 2.11.0+cu130, NCCL 2.28.9
        command: gpu_burn_in.py --tier quick
        seconds: 0.7
        problem: ""
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_speed import Host, dcgm, gpu_run, nothing


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "node": {"type": "str", "required": True},
            "argv": {"type": "list", "elements": "str", "default": []},
            "problem": {"type": "str", "default": ""},
            "seconds": {"type": "int", "default": 360},
            "container": {"type": "str", "default": ""},
            "dcgm_level": {"type": "int", "default": 0},
        }
    )
    wish, host = module.params, Host()
    if wish["problem"] or not wish["argv"]:
        module.exit_json(changed=False, run=nothing(wish["node"], wish["problem"] or "there is no command to run"))
    run = gpu_run(host, wish["node"], wish["argv"], wish["seconds"], wish["container"])
    run["measurements"] += dcgm(host, wish["node"], wish["dcgm_level"])
    module.exit_json(changed=False, run=run)


if __name__ == "__main__":
    main()
