#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_facts
short_description: Read in one round trip what the roles compare against
version_added: 0.1.0
description:
  - Reads platform, packages, units, addresses, GPUs, RDMA devices, the container engine and listening ports of a node,
    from files where there are files, with every command bounded in time.
  - It takes the place of M(ansible.builtin.setup), which reads more and slower.
extends_documentation_fragment:
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  units:
    description: Names or patterns of systemd units whose state is read.
    type: list
    elements: str
    default:
      - gpufleet-*
      - docker.service
      - containerd.service
      - nginx.service
      - haproxy.service
      - keepalived.service
      - nvidia-persistenced.service
      - nvidia-fabricmanager.service
      - nvidia-imex.service
      - chrony.service
      - chronyd.service
      - systemd-timesyncd.service
  disks:
    description: Paths whose free space is read.
    type: list
    elements: path
    default: [/, /var/lib, /var/lib/docker]
  python_environments:
    description: Python virtual environments whose packages are read.
    type: list
    elements: path
    default: [/usr/local/lib/gpufleet/venv]
  cache_directories:
    description: Where engines keep compiled kernels; who became ready with which of them is read.
    type: list
    elements: path
    default: [/var/cache/gpufleet/engine]
"""

EXAMPLES = r"""
- name: Read the node
  gpufleet.inference.node_facts:
  register: __platform_read
"""

RETURN = r"""
node:
  description:
    - What was read. Keys are C(hostname), C(distribution), C(distribution_version), C(distribution_major), C(codename),
      C(os_family), C(package_manager), C(kernel), C(architecture), C(virtualization), C(init), C(boot_id), C(cpus),
      C(memory_bytes), C(interfaces), C(addresses), C(default_interface), C(gpus), C(nvidia), C(rdma),
      C(can_raise_limits), C(packages), C(held_packages), C(units), C(docker), C(listening), C(disk_free_bytes),
      C(python_environments), C(kernel_caches), C(paths).
  returned: always
  type: dict
"""

import contextlib
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import (
    _cdi,
    _docker_daemon,
    _docker_socket,
    _files,
    _kernel_folders,
    _node,
    _rdma_sysfs,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host


def docker() -> dict[str, t.Any]:
    """Return what the Docker daemon says of itself, its images and its containers; a dead one is a finding."""
    readings: dict[str, t.Any] = {
        "reachable": False,
        "problem": "",
        "info": {},
        "variables": None,
        "can_raise_limits": _docker_daemon.can_raise_limits(),
        "running": [],
        "images": {},
    }
    answers: list[t.Any] = []
    try:
        for path in ("/info", "/images/json", "/containers/json?all=true"):
            status, answer = _docker_socket.get(path)
            if status != 200:
                problem = f"GET {path} answered {status}: {answer}"
                return {**_docker_daemon.facts(dict(readings, problem=problem)), "containers": {}}
            answers.append(answer)
    except _docker_socket.DockerUnreachableError as error:
        return {**_docker_daemon.facts(dict(readings, problem=str(error))), "containers": {}}
    info, images, listed = answers
    containers = {
        one["Names"][0].lstrip("/"): {"state": one["State"], "image": one["ImageID"]}
        for one in listed
        if one.get("Names")
    }
    readings.update(
        reachable=True,
        info=info,
        variables=_docker_daemon.variables(),
        running=sorted(name for name, one in containers.items() if one["state"] == "running"),
        images=_docker_daemon.image_ids(images),
    )
    return {**_docker_daemon.facts(readings), "containers": containers}


def kernel_caches(directories: list[str]) -> dict[str, list[str]]:
    """Return {folder of compiled kernels: deployments that became ready with it}; what cannot be read is as good as none."""
    found: dict[str, list[str]] = {}
    for directory in directories:
        with contextlib.suppress(OSError):
            found.update({path: sorted(ready) for path, ready in _kernel_folders.ready(directory).items()})
    return found


def read(
    units: list[str], disks: list[str], python_environments: list[str], cache_directories: list[str]
) -> dict[str, t.Any]:
    """Read the node. Shapes are those of docs/architecture.md."""
    platform = _node.distribution()
    versions, held = _node.packages(platform["package_manager"])
    found = _node.interfaces()
    system = os.uname()
    return {
        **platform,
        "hostname": system.nodename,
        "kernel": system.release,
        "architecture": system.machine,
        "virtualization": _node.virtualization(),
        "init": "systemd" if os.path.isdir("/run/systemd/system") else "other",
        "boot_id": _node.text("/", "/proc/sys/kernel/random/boot_id") or "",
        "cpus": os.cpu_count() or 0,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "interfaces": found,
        "addresses": sorted({address for one in found.values() for address in one["addresses"]}),
        "default_interface": _node.default_interface(),
        "gpus": _node.gpus(),
        "nvidia": {**_node.nvidia(), **_cdi.handover(Host())},
        "rdma": _rdma_sysfs.read(),
        "can_raise_limits": _docker_daemon.can_raise_limits(),
        "packages": versions,
        "held_packages": held,
        "units": _node.units(units),
        "docker": docker(),
        "listening": _node.listening(),
        "disk_free_bytes": _node.disk_free_bytes(disks),
        "python_environments": _node.python_environments(python_environments),
        "kernel_caches": kernel_caches(cache_directories),
        "paths": _files.states(),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "units": {
                "type": "list",
                "elements": "str",
                "default": [
                    "gpufleet-*",
                    "docker.service",
                    "containerd.service",
                    "nginx.service",
                    "haproxy.service",
                    "keepalived.service",
                    "nvidia-persistenced.service",
                    "nvidia-fabricmanager.service",
                    "nvidia-imex.service",
                    "chrony.service",
                    "chronyd.service",
                    "systemd-timesyncd.service",
                ],
            },
            "disks": {"type": "list", "elements": "path", "default": ["/", "/var/lib", "/var/lib/docker"]},
            "python_environments": {
                "type": "list",
                "elements": "path",
                "default": ["/usr/local/lib/gpufleet/venv"],
            },
            "cache_directories": {"type": "list", "elements": "path", "default": ["/var/cache/gpufleet/engine"]},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, node=read(**module.params))


if __name__ == "__main__":
    main()
