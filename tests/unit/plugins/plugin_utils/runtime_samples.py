# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wishes and node facts for the tests of the container runtime."""

from __future__ import annotations

import typing as t


def wishes(**changed: t.Any) -> dict[str, t.Any]:
    """Return the role's defaults without their prefix, changed as given."""
    return {
        "source": "docker",
        "version": "29.6.1",
        "containerd_version": "2.2.5",
        "docker_packages": ["docker-ce", "docker-ce-cli", "containerd.io"],
        "repository_url": "https://docker.example.org/linux/debian",
        "distribution_packages": ["docker.io", "iptables"],
        "registry_mirrors": [],
        "insecure_registries": [],
        "http_proxy": "",
        "https_proxy": "",
        "no_proxy": [],
        "data_root": "/var/lib/docker",
        "log_max_size": "100m",
        "log_max_files": 5,
        "live_restore": True,
        "nofile": 1048576,
        "address_pools": [],
        "runtimes": {},
        "default_runtime": "",
        "daemon_options": {},
        "restart_allowed": False,
        "gpu_access": "",
        "gpu_image": "",
        **changed,
    }


def node(packages: dict[str, str] | None = None, **changed: t.Any) -> dict[str, t.Any]:
    """Return a Debian 12 node with these packages."""
    return {
        "distribution": "Debian",
        "distribution_version": "12.9",
        "package_manager": "apt",
        "packages": packages or {},
        "units": {},
        **changed,
    }
