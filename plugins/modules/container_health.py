#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: container_health
short_description: Prove what the Docker daemon runs with and what its containers get
version_added: 0.1.0
description:
  - Asks the daemon over its socket, with a bound in time, reads the environment of its process, and looks at the limits
    of a real process in a container.
  - When no container runs and an image is there, one short-lived container without a network is started to look at its
    limits, and removed; not in check mode.
attributes:
  check_mode:
    description: Changes nothing; in check mode no container is started to try.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  idempotent:
    description: It changes nothing.
    support: full
extends_documentation_fragment:
  - gpufleet.inference.proof
author:
  - The gpufleet founders (@gpufleet)
options:
  expect:
    description:
      - What is expected; a key that is left out is not checked.
      - C(version), C(storage_driver), C(cgroup_driver), C(live_restore), C(data_root), C(default_runtime),
        C(registry_mirrors) and C(insecure_registries) (sorted lists) as in Docker's C(/info).
      - C(configuration), the fingerprint of the reloadable options, and C(start), a list of accepted fingerprints of
        the others, both of P(gpufleet.inference.container_runtime_plan#filter).
      - C(log), a mapping of C(driver) and the log options; C(nofile) and C(memlock), C(soft/hard) as in
        C(/proc/PID/limits).
      - C(images), a list of C(name), C(ids) (accepted ids, none for any) and C(reference) (must be the same image).
      - C(gpus), a mapping of C(count), C(access) (how containers ask for GPUs, V(cdi), V(runtime) or V(hook)) and
        C(image). One short-lived container of that image lists the GPUs that it sees.
    type: dict
    default: {}
  probe:
    description: Whether a short-lived container may be started to look at its limits and GPUs.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Prove the container runtime
  gpufleet.inference.container_health:
    expect:
      live_restore: true
      nofile: 1048576/1048576
      memlock: unlimited/unlimited
"""

RETURN = r"""
verdict:
  description: The worst verdict.
  returned: always
  type: str
  sample: pass
checks:
  description: One entry per check, with C(name), C(verdict), C(observed), C(expected), C(remedy) and C(source).
  returned: always
  type: list
  elements: dict
facts:
  description:
    - C(reachable), C(problem), C(version), C(storage_driver), C(cgroup_driver), C(live_restore), C(configuration) and
      C(start) (the fingerprints in use, or none), C(can_raise_limits), C(running) (names of
      running containers), C(images), reference or image id to image id, and C(cdi_devices), the CDI names of NVIDIA's
      GPUs that Docker knows.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_daemon, _docker_gpus, _verdict


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(_verdict.proof_argument_spec(), probe={"type": "bool", "default": True}),
        supports_check_mode=True,
    )
    probe, expect = module.params["probe"] and not module.check_mode, module.params["expect"]
    readings = _docker_daemon.read(probe=probe)
    checks = _docker_daemon.judge(readings, expect)
    if "gpus" in expect and readings["reachable"]:
        checks.append(_docker_gpus.prove(expect["gpus"], readings["images"], probe))
    _verdict.finish(module, checks, _docker_daemon.facts(readings))


if __name__ == "__main__":
    main()
