#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rdma_health
short_description: Tell whether a node's InfiniBand or RoCE cards are as they should be, with the remedy
version_added: 0.3.0
description:
  - Reads C(/sys/class/infiniband), PCI configuration spaces, the kernel's log and limits of new processes as plain files, with
    no tool of any vendor, and gives one verdict per statement over all HCAs for GPUs.
  - HCAs for GPUs are those that O(expect) names. Without names they are the physical ones of the expected link layer and
    rate and all of the same card, without those of bonds and of the default route.
  - What could not be looked at is C(not_verified), never C(pass). Without an HCA nothing passes.
  - Changes nothing on the node. Two questions start a short-lived process, a transient systemd service and a login of root,
    and read its limits.
extends_documentation_fragment:
  - gpufleet.inference.proof
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  expect:
    description:
      - The profile, what the node should have. An unknown key or word is an error. All keys are optional.
      - C(hcas), the HCAs for GPUs, how many or a list of names; C(storage_hcas), the same for storage.
      - C(rate_gbps), the rate of every port; C(link_layer), V(InfiniBand) or V(Ethernet); C(firmware) and C(hca_type), such
        as V(28.41.1000) and V(MT4129), exactly.
      - C(topology_file), the file on the node that tells NCCL the topology of a guest.
      - C(gdr), the way of GPUDirect RDMA, V(any), V(dma_buf), V(peermem) or V(none).
      - C(acs), V(auto) or V(any); V(auto) wants it off on bare metal with GPUs. C(iommu), V(auto) or V(any); V(auto) wants
        pass-through on bare metal.
      - C(max_read_request), bytes, at least, default V(512); C(mtu), bytes, at least, of interfaces of RoCE, default V(4200).
      - C(roce_trust), V(dscp) or V(pcp), what interfaces of RoCE sort packets by; C(roce_pfc_priorities), exactly the
        priorities with flow control. Both are read from the kernel; without them nothing is said of either.
      - C(flaps_per_day), how many lost links in a day are a fault, default V(5).
      - C(memlock), whether new services and logins must be able to pin any amount of memory, default V(true).
    type: dict
    default: {}
  interval_seconds:
    description:
      - How long to wait between two readings of the error counters, which count since their last reset.
      - V(0) reads them once; what they say is then C(not_verified), unless there is an O(baseline).
    type: float
    default: 2
  baseline:
    description:
      - A file on the node with the RV(facts.counters) of an earlier run, as JSON. Counters are compared with it, without a wait.
      - When it cannot be read, the counters are read twice as without it.
    type: path
"""

EXAMPLES = r"""
- name: Look at a node of which nothing is known
  gpufleet.inference.rdma_health:

- name: Prove that a node has four compute and two storage HCAs
  gpufleet.inference.rdma_health:
    expect:
      hcas: 4
      storage_hcas: 2
      rate_gbps: 400
      link_layer: InfiniBand
      gdr: any
    strict: true
"""

RETURN = r"""
verdict:
  description: The worst verdict of the checks.
  returned: always
  type: str
  sample: fail
checks:
  description: One entry per statement. RV(checks[].observed) names the HCAs or ports that are not as they should be.
  returned: always
  type: list
  elements: dict
  sample:
    - name: port state
      verdict: fail
      observed: {"mlx5_4/1": INIT}
      expected: ACTIVE
      remedy: "INIT or ARMED: Start a subnet manager on the fabric (opensm, or the managed switch's)."
      source: /sys/class/infiniband/*/ports/*/state
facts:
  description:
    - C(hcas), the names of the HCAs for GPUs; C(devices), what was read of each device, as C(rdma.hcas) of
      M(gpufleet.inference.node_facts).
    - C(counters), a snapshot of the error counters, good as O(baseline); C(grown), by how much they grew in
      C(grown_seconds).
    - C(pcie_settings), by PCI address, read request, payload, relaxed ordering, ACS and ATS.
    - C(not_applicable), the statements that make no sense on this node, with the reason.
    - C(seconds), how long reading and judging took.
  returned: always
  type: dict
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge import judge_rdma, make_node
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_profile import profile
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_read import read
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import finish, proof_argument_spec


def main() -> None:
    specification = {
        **proof_argument_spec(),
        "interval_seconds": {"type": "float", "default": 2},
        "baseline": {"type": "path"},
    }
    module = AnsibleModule(argument_spec=specification, supports_check_mode=True)
    expect = module.params["expect"]
    try:
        profile(expect)
    except ValueError as mistakes:
        module.fail_json(msg=str(mistakes))
    began = time.monotonic()
    wishes = module.params["interval_seconds"], module.params["baseline"] or "", str(expect.get("topology_file") or "")
    readings = read(Host(), *wishes)
    node = make_node(readings, expect)
    judgement = judge_rdma(node)
    facts = {
        "hcas": list(node.compute),
        "devices": readings["rdma"]["hcas"],
        "counters": readings["counters"]["now"],
        "grown": readings["counters"]["grown"],
        "grown_seconds": readings["counters"]["seconds"],
        "pcie_settings": readings["config"],
        "not_applicable": judgement.not_applicable,
        "seconds": round(time.monotonic() - began, 3),
    }
    finish(module, judgement.checks, facts)


if __name__ == "__main__":
    main()
