#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_health
short_description: Prove that a node is set up as a profile says
version_added: 0.1.0
description:
  - Reads the effect, not the files - limits of a new service and of a new login, C(/proc/sys), C(/sys), the kernel's
    clock, what the package manager would do - and gives one verdict per statement.
  - Only what O(expect) names is looked at. What cannot be looked at is C(not_verified), with the reason.
  - Two questions start a short-lived process, a transient systemd service and a login of root, and read its limits.
extends_documentation_fragment:
  - gpufleet.inference.proof
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  expect:
    description:
      - The profile. An unknown key is an error.
      - C(sysctl), a dictionary of keys and values.
      - C(nofile), the least number of open files, and C(memlock), V(unlimited) or bytes, of new services and logins.
      - C(limits_of), a dictionary of shell patterns and of C(memlock) and C(nofile), the limits that every running process
        with such a command line must have. CAP_IPC_LOCK is as good as C(memlock). No such process is C(not_verified).
      - C(thp), C(governor), C(clock_source), the word that the kernel must show. C(numa_balancing), V(0) or V(1).
      - C(iommu), V(pt) or V(off).
      - C(time_sync), whether the kernel's clock must be synchronised, by at most one daemon.
      - C(swap), V(off) or V(keep).
      - C(packages_held), patterns of packages that must be held and kept from unattended upgrades.
      - C(upgrade_simulation), patterns of packages that a simulated upgrade must leave alone. Takes some seconds.
      - C(stuck_processes) and C(zombies), how many processes may stay so for two seconds.
      - C(disk_free_gib), a dictionary of paths and GiB. C(shm_gib), the least size of C(/dev/shm).
        C(memory_gib), the least memory.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Prove that a node is ready for RDMA and many connections
  gpufleet.inference.host_health:
    expect:
      sysctl:
        net.core.somaxconn: 65535
      memlock: unlimited
      nofile: 65536
      time_sync: true
      disk_free_gib:
        /var/lib: 700

- name: Prove that running engines may pin memory
  gpufleet.inference.host_health:
    expect:
      limits_of:
        "*vllm*":
          memlock: unlimited
          nofile: 65536
"""

RETURN = r"""
verdict:
  description: The worst verdict of the checks.
  returned: always
  type: str
  sample: pass
checks:
  description: One entry per statement.
  returned: always
  type: list
  elements: dict
  sample:
    - name: sysctl net.core.somaxconn
      verdict: pass
      observed: "65535"
      expected: "65535"
      remedy: ""
      source: /proc/sys
facts:
  description: What was read, by subject, and C(container), the container engine around the node or an empty string.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from ansible_collections.gpufleet.inference.plugins.module_utils._host_judge import judge, mistakes
from ansible_collections.gpufleet.inference.plugins.module_utils._host_read import read
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import finish, proof_argument_spec


def main() -> None:
    module = AnsibleModule(argument_spec=proof_argument_spec(), supports_check_mode=True)
    expect = module.params["expect"]
    wrong = mistakes(expect)
    if wrong:
        module.fail_json(msg=f"expect: {' '.join(wrong)}")
    readings = read(Host(), expect)
    checks = judge(readings, expect)
    # The names of all packages are long and are already in platform_node.
    finish(module, checks, {name: value for name, value in readings.items() if name != "packages"})


if __name__ == "__main__":
    main()
