#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_health
short_description: Tell a sick GPU node from a healthy one, with the remedy
version_added: 0.2.0
description:
  - Reads all GPUs through NVML and what NVML does not tell from C(/proc), C(/sys), the kernel's log, units and packages,
    and gives one verdict per statement over all GPUs of the node.
  - What could not be looked at is C(not_verified), never C(pass). So is what needs a key of O(expect) that is not said,
    and much of a card that is not in the catalogue.
  - Changes nothing on the node or its cards. NVML is asked in a child process; a driver that hangs is a finding.
extends_documentation_fragment:
  - gpufleet.inference.proof
  - gpufleet.inference.proof.read_only
requirements:
  - nvidia-ml-py on the node, which the role C(gpufleet.inference.node_tools) brings.
author:
  - The gpufleet founders (@gpufleet)
options:
  expect:
    description:
      - The profile, what the node should be. An unknown key, word or card is an error. All keys are optional.
      - C(gpus), how many; C(kind), a kind of the catalogue such as V(h20-96), or a PCI device id such as V(2329).
      - C(driver_version), exactly; C(module_flavour), V(open) or V(proprietary), by default one that the cards take;
        C(cuda_at_least), the CUDA version of the images that will run.
      - C(nvlinks), how many are up per GPU, and C(nvswitches), how many the node sees; by default from the catalogue.
      - C(fabric_manager), V(auto), V(required) or V(absent); V(auto) is required where NVSwitches are visible.
      - C(persistence), default V(true); C(ecc), default V(true); C(mig), default V(false); C(conf_compute), default
        V(false); C(compute_mode), V(default), V(exclusive_process) or V(prohibited).
      - C(power_limit_w), default each card's own default; C(locked_clock_mhz), default the highest clock.
      - C(processes), V(none) or V(any).
      - C(gdr_path), the way of GPUDirect RDMA, V(any), V(dma_buf), V(peermem) or V(none).
      - C(containers), V(auto), V(required) or V(absent), whether containers get GPUs; V(auto) looks where there is a
        container toolkit. C(packages_held), default V(true).
      - C(since), a time (ISO 8601 or Unix seconds) before which Xids do not count; by default all since the boot do.
      - C(xids), a dictionary of Xid and verdict that overrides the catalogue.
      - C(thresholds), a dictionary that overrides C(corrected_dram), C(corrected_sram), C(remapped_uncorrectable),
        C(temperature_margin_c), C(memory_temperature_c), C(throttle_hardware_seconds), C(throttle_software_seconds),
        C(clock_share), C(nvlink_errors), C(aer_correctable), C(fabric_manager_restarts).
    type: dict
    default: {}
  python:
    description:
      - The Python that has nvidia-ml-py. It runs the module when the node's own Python lacks the library.
      - When there is no such file either, what needs NVML is C(not_verified).
    type: path
    default: /usr/local/lib/gpufleet/venv/bin/python3
  timeout_seconds:
    description: How long NVML may take altogether; then its process is killed, and what was read until then counts.
    type: float
    default: 20
"""

EXAMPLES = r"""
- name: Look at a node of which nothing is known
  gpufleet.inference.gpu_health:

- name: Prove that a node has eight healthy H20
  gpufleet.inference.gpu_health:
    expect:
      gpus: 8
      kind: h20-96
      driver_version: 580.159.04
      cuda_at_least: "13.0"
      gdr_path: any
      processes: none
    strict: true
"""

RETURN = r"""
verdict:
  description: The worst verdict of the checks.
  returned: always
  type: str
  sample: fail
checks:
  description:
    - One entry per statement. RV(checks[].observed) names GPUs by their index where they are not as they should be.
    - RV(checks[].remedy) begins with what the driver itself asks for, if it does.
  returned: always
  type: list
  elements: dict
  sample:
    - name: remapped rows
      verdict: fail
      observed: {"3": pending}
      expected: none pending, none failed, fewer than 512
      remedy: Stop what uses this GPU and reset it (nvidia-smi --gpu-reset); if that is refused, reboot the node.
      source: nvmlDeviceGetRemappedRows
facts:
  description:
    - C(gpus), one entry per GPU with C(index), C(pci), C(uuid), C(serial), C(name), C(vbios_version) and
      C(kind).
    - C(driver_version), C(cuda_version), C(guest), C(library), the version of nvidia-ml-py.
    - C(not_applicable), the statements that make no sense on this node, with the reason.
    - C(seconds), how long reading and judging took.
  returned: always
  type: dict
"""

import os
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.respawn import has_respawned, respawn_module

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_host import read_gpu_host
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge import judge_gpu, make_node
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import Node
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_profile import profile
from ansible_collections.gpufleet.inference.plugins.module_utils._nvml import Reading
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import value_or_none
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import finish, proof_argument_spec

try:
    # Before NVML's process is forked: it need not be read again there.
    import pynvml

    HAS_PYNVML = bool(pynvml)
except ImportError:
    HAS_PYNVML = False


def facts(node: Node) -> dict[str, t.Any]:
    """Return what tells this node and its GPUs from others."""
    identity = ("pci", "uuid", "serial", "name", "vbios_version")
    return {
        "gpus": [
            {
                "index": gpu.index,
                **{name: value_or_none(gpu.read(name)) for name in identity},
                "kind": gpu.card.kind if gpu.card else None,
            }
            for gpu in node.gpus
        ],
        "driver_version": node.driver_version,
        "cuda_version": value_or_none(node.system("cuda_version")),
        "guest": node.guest,
        "library": node.nvml["library"],
    }


def main() -> None:
    specification = {
        **proof_argument_spec(),
        "python": {"type": "path", "default": "/usr/local/lib/gpufleet/venv/bin/python3"},
        "timeout_seconds": {"type": "float", "default": 20},
    }
    module = AnsibleModule(argument_spec=specification, supports_check_mode=True)
    expect = module.params["expect"]
    try:
        profile(expect)
    except ValueError as mistakes:
        module.fail_json(msg=str(mistakes))
    python = module.params["python"]
    if not HAS_PYNVML and not has_respawned() and os.access(python, os.X_OK):
        respawn_module(python)
    began = time.monotonic()
    # Two processes: while the driver takes its time, everything else is read.
    reading = Reading(module.params["timeout_seconds"])
    host = read_gpu_host()
    nvml = reading.result()
    judgement = judge_gpu(nvml, host, expect)
    found = facts(make_node(nvml, host, expect))
    found["not_applicable"] = judgement.not_applicable
    found["seconds"] = round(time.monotonic() - began, 3)
    finish(module, judgement.checks, found)


if __name__ == "__main__":
    main()
