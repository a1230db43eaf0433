#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rdma_speed
short_description: Be one side of an RDMA measurement between two nodes
version_added: 0.1.0
description:
  - Runs C(ib_write_bw) and C(ib_write_lat) of perftest as client or as server. Both nodes of a pair call it in one task;
    the client tries again until the server listens.
  - Ends in bounded time whatever the other side does, and does not fail - what went wrong is C(problem) of a measurement.
  - It loads the network, so it does nothing in check mode.
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
  side:
    description: The server waits, the client writes to it and has the figures.
    type: str
    choices: [client, server]
    required: true
  node:
    description: Name of this node, for the measurement.
    type: str
    required: true
  peer:
    description: Name of the other node.
    type: str
    required: true
  hca:
    description: RDMA device of this node.
    type: str
    required: true
  peer_hca:
    description: RDMA device of the other node, for the measurement.
    type: str
    required: true
  ib_port:
    description: Port of O(hca).
    type: int
    default: 1
  address:
    description: Address of the server, where the two exchange what they need; for O(side=client).
    type: str
  port:
    description: TCP port of the first test; each further test takes the next one.
    type: int
    default: 18515
  gid_index:
    description: Index of the GID to use, of O(hca). Without it perftest chooses.
    type: int
  gpu:
    description: Number of the GPU whose memory is used, where perftest was built with CUDA; the host's memory otherwise.
    type: int
  numa_node:
    description:
      - NUMA node of O(hca), to stay on; by C(taskset) where C(numactl) is not installed. Negative or left out does not pin.
    type: int
  tests:
    description: What is measured, in this order.
    type: list
    elements: str
    choices: [rdma_write_bw, rdma_write_lat]
    default: [rdma_write_bw, rdma_write_lat]
  bytes:
    description: Size of a message of the bandwidth test.
    type: int
    default: 8388608
  seconds:
    description: How long bandwidth is measured.
    type: int
    default: 2
  iterations:
    description: How often latency is measured.
    type: int
    default: 1000
  connect_seconds:
    description: How long the two sides may miss each other.
    type: int
    default: 20
  grace_seconds:
    description: What a test may take beyond its own time, for memory and connections.
    type: int
    default: 15
"""

EXAMPLES = r"""
- name: Measure from the second node to the first
  gpufleet.inference.rdma_speed:
    side: "{{ 'server' if inventory_hostname == 'gpu1' else 'client' }}"
    node: "{{ inventory_hostname }}"
    peer: "{{ 'gpu2' if inventory_hostname == 'gpu1' else 'gpu1' }}"
    hca: mlx5_0
    peer_hca: mlx5_0
    address: "{{ '' if inventory_hostname == 'gpu1' else '10.0.0.1' }}"
"""

RETURN = r"""
measurements:
  description:
    - One entry per test, as all measurements of the role P(gpufleet.inference.burn_in#role). C(value) is the mean of
      bandwidth in Gb/s, or the median of latency in microseconds; none on the server.
    - C(problem) says why there is no value; on the server it is empty when its side went well.
  returned: always
  type: list
  elements: dict
  sample:
    - node: gpu2
      peer: gpu1
      kind: rdma_write_bw
      subject: mlx5_0 -> mlx5_0
      value: 392.1
      unit: Gb/s
      parameters: {bytes: 8388608, seconds: 2, gid_index: null, memory: host, numa_node: 0}
      series: []
      samples: [392.1]
      tool: ib_write_bw 6.06
      command: numactl --cpunodebind=0 --membind=0 ib_write_bw -F -d mlx5_0 -i 1 -p 18515 --report_gbits -s 8388608 -D 2 10.0.0.1
      seconds: 3.4
      problem: ""
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils._perftest import TESTS
from ansible_collections.gpufleet.inference.plugins.module_utils._perftest_run import Host, measure


def main() -> None:
    tests = list(TESTS)
    module = AnsibleModule(
        argument_spec={
            "side": {"type": "str", "choices": ["client", "server"], "required": True},
            "node": {"type": "str", "required": True},
            "peer": {"type": "str", "required": True},
            "hca": {"type": "str", "required": True},
            "peer_hca": {"type": "str", "required": True},
            "ib_port": {"type": "int", "default": 1},
            "address": {"type": "str"},
            "port": {"type": "int", "default": 18515},
            "gid_index": {"type": "int"},
            "gpu": {"type": "int"},
            "numa_node": {"type": "int"},
            "tests": {"type": "list", "elements": "str", "choices": tests, "default": tests},
            "bytes": {"type": "int", "default": 8388608},
            "seconds": {"type": "int", "default": 2},
            "iterations": {"type": "int", "default": 1000},
            "connect_seconds": {"type": "int", "default": 20},
            "grace_seconds": {"type": "int", "default": 15},
        },
        required_if=[("side", "client", ["address"])],
    )
    module.exit_json(changed=False, measurements=measure(module.params, Host()))


if __name__ == "__main__":
    main()
