# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-ins for NVIDIA's packages: their names, versions and dependencies, with next to nothing inside.

Versions are published ones (2024 to 2026). Dependencies on the distribution (dkms, libc6) are left out, so that a lab host
installs in seconds; those among NVIDIA's packages are kept, some without a version, as only pins then keep the newest
branch out. Names by repository and branch: ``plugins/plugin_utils/_gpu_lock_names.py`` tells the sources.
"""

from __future__ import annotations

import dataclasses
import typing as t

#: Branch by branch. 580.159.04 has no Fabric Manager here: that a repository lags is a case to be refused.
VERSIONS = ("550.54.14", "550.163.01", "570.211.01", "580.105.08", "580.126.20", "580.159.04", "590.48.01", "610.43.02")
WITHOUT_FABRIC_MANAGER = ("580.159.04",)
#: Container toolkit: the last with the hook, an early one with CDI, and a newer one than the role's that must stay out.
TOOLKITS = ("1.17.8", "1.18.2", "1.20.1", "1.21.0")

#: What lets one branch's Fabric Manager take the place of another's.
ONE_FABRIC_MANAGER = tuple((field, "nvidia-fabricmanager") for field in ("Provides", "Conflicts", "Replaces"))

PERSISTENCED_UNIT = """[Unit]
Description=Stand-in for the NVIDIA Persistence Daemon

[Service]
ExecStart=/usr/bin/nvidia-persistenced --no-persistence-mode

[Install]
WantedBy=multi-user.target
"""
FABRIC_MANAGER_UNIT = """[Unit]
Description=Stand-in for the NVIDIA fabric manager service

[Service]
ExecStart=/usr/bin/nv-fabricmanager

[Install]
WantedBy=multi-user.target
"""
DAEMON = """#!/bin/sh
# Stand-in of the lab: says its version and stays.
case "$1" in -v|--version) echo "{title} version is : {version}"; exit 0;; esac
echo "{title} version {version} is running as a stand-in, started with: $*"
sleep infinity & wait
"""


@dataclasses.dataclass(frozen=True)
class Package:
    """One package. ``files``: path → text; those under bin are executable."""

    name: str
    version: str
    depends: str = ""
    more: tuple[tuple[str, str], ...] = ()
    summary: str = ""
    files: t.Mapping[str, str] = dataclasses.field(default_factory=dict)


def persistenced(version: str) -> dict[str, str]:
    """Return the files of the persistence daemon; its unit leaves persistence off, as distributions ship it."""
    return {
        "usr/bin/nvidia-persistenced": DAEMON.format(title="nvidia-persistenced", version=version),
        "usr/lib/systemd/system/nvidia-persistenced.service": PERSISTENCED_UNIT,
    }


def fabric_manager(version: str) -> dict[str, str]:
    """Return the files of Fabric Manager."""
    return {
        "usr/bin/nv-fabricmanager": DAEMON.format(title="Fabric Manager", version=version),
        "usr/lib/systemd/system/nvidia-fabricmanager.service": FABRIC_MANAGER_UNIT,
    }


def modules(version: str) -> dict[str, str]:
    """Return the files of the kernel modules' source: no module is built from them."""
    return {f"usr/src/nvidia-{version}/dkms.conf": f'PACKAGE_NAME="nvidia"\nPACKAGE_VERSION="{version}"\n'}


def own_fabric_manager(name: str, version: str, full: str, more: tuple[tuple[str, str], ...] = ()) -> list[Package]:
    """Return Fabric Manager of a version, where the repository has it."""
    if version in WITHOUT_FABRIC_MANAGER:
        return []
    return [Package(name, full, more=more, files=fabric_manager(version))]


def shared(version: str) -> list[Package]:
    """Return what NVIDIA's repositories for Debian and Ubuntu have in common."""
    branch = version.split(".", maxsplit=1)[0]
    pinning = {f"etc/apt/preferences.d/nvidia-driver-pinning-{version}": ""}
    return [
        Package(f"nvidia-driver-pinning-{version}", f"{version}-1", files=pinning),
        Package(f"nvidia-driver-pinning-{branch}", f"{branch}-1"),
    ]


def debian(version: str, fabric_manager_has_branch: bool) -> list[Package]:
    """Return a driver version as NVIDIA's repository for Debian has it."""
    full, branch = f"{version}-1", version.split(".", maxsplit=1)[0]
    suffix = f"-{branch}" if fabric_manager_has_branch else ""
    support = f"nvidia-kernel-support (= {full})"
    return [
        Package(
            "nvidia-kernel-open-dkms", full, support, (("Conflicts", "nvidia-kernel-dkms"),), files=modules(version)
        ),
        Package(
            "nvidia-kernel-dkms", full, support, (("Conflicts", "nvidia-kernel-open-dkms"),), files=modules(version)
        ),
        Package("nvidia-kernel-support", full, f"firmware-nvidia-gsp (= {full}), nvidia-modprobe"),
        Package("firmware-nvidia-gsp", full),
        Package("nvidia-modprobe", full),
        Package("libcuda1", full, f"libnvidia-ptxjitcompiler1 (= {full})"),
        Package("libnvidia-ptxjitcompiler1", full),
        Package("libnvidia-ml1", full),
        Package("nvidia-smi", full, f"libnvidia-ml1 (= {full})"),
        Package("nvidia-persistenced", full, files=persistenced(version)),
        Package("nvidia-driver-cuda", full, f"libcuda1 (= {full}), nvidia-smi (= {full}), nvidia-persistenced"),
        Package("nvidia-open", full, f"nvidia-driver-cuda (= {full}), nvidia-kernel-open-dkms (= {full})"),
        Package(f"nvidia-imex{suffix}", full),
        Package(f"libnvidia-nscq{suffix}", full),
        *own_fabric_manager(f"nvidia-fabricmanager{suffix}", version, full, ONE_FABRIC_MANAGER if suffix else ()),
        *shared(version),
    ]


def ubuntu(version: str) -> list[Package]:
    """Return a driver version as NVIDIA's repository for Ubuntu has it."""
    full, plain, number = f"{version}-0ubuntu1", f"{version}-1", int(version.split(".", maxsplit=1)[0])
    suffix = "" if number >= 590 else f"-{number}"
    switch_suffix = "" if number >= 580 else f"-{number}"
    provides = () if switch_suffix else (("Provides", f"nvidia-fabricmanager-{number}"),)
    modules_open = f"nvidia-dkms{suffix}-open" if suffix else "nvidia-dkms-open"
    return [
        Package(modules_open, full, f"nvidia-kernel-common{suffix} (= {full})", files=modules(version)),
        Package(f"nvidia-dkms{suffix}", full, f"nvidia-kernel-common{suffix} (= {full})", files=modules(version)),
        Package(f"nvidia-kernel-common{suffix}", full, "nvidia-modprobe"),
        Package("nvidia-modprobe", full),
        Package(f"libnvidia-compute{suffix}", full),
        Package(f"nvidia-utils{suffix}", full, f"libnvidia-compute{suffix} (= {full})"),
        Package(f"nvidia-compute-utils{suffix}", full, "nvidia-persistenced"),
        Package("nvidia-persistenced", full, files=persistenced(version)),
        Package(f"nvidia-imex{switch_suffix}", plain),
        Package(f"libnvidia-nscq{switch_suffix}", plain),
        *own_fabric_manager(f"nvidia-fabricmanager{switch_suffix}", version, plain, provides),
        *shared(version),
    ]


def canonical(version: str) -> list[Package]:
    """Return a driver version as Canonical's multiverse has it, Fabric Manager 570 being an empty package of 580."""
    full, branch = f"{version}-0ubuntu0.24.04.1", version.split(".", maxsplit=1)[0]
    moved = branch == "570"
    return [
        Package(f"nvidia-dkms-{branch}-server-open", full, files=modules(version)),
        Package(f"nvidia-dkms-{branch}-server", full, files=modules(version)),
        Package(f"libnvidia-compute-{branch}-server", full),
        Package(f"nvidia-utils-{branch}-server", full, f"libnvidia-compute-{branch}-server (= {full})"),
        Package(f"nvidia-compute-utils-{branch}-server", full, files=persistenced(version)),
        Package(f"libnvidia-nscq-{branch}", full),
        *(
            [
                Package(
                    f"nvidia-fabricmanager-{branch}", full, "nvidia-fabricmanager-580", summary="Transitional package"
                )
            ]
            if moved
            else own_fabric_manager(f"nvidia-fabricmanager-{branch}", version, full)
        ),
    ]


def unversioned() -> list[Package]:
    """Return packages of NVIDIA's repositories that count their versions by themselves."""
    return [
        Package("nvlsm", "2025.06.6-1"),
        Package("cuda-compat-12-9", "575.57.08-1"),
        Package("cuda-compat-13-0", "580.126.20-1"),
        Package("nvidia-container-toolkit", "1.18.1-1"),
    ]


CTK = """#!/bin/sh
# Stand-in of the lab: says its version, as nvidia-ctk --version does.
echo "NVIDIA Container Toolkit CLI version {version}"
"""
RUNTIME = """#!/bin/sh
# Stand-in of the lab: runs containers without handing over a GPU, as there is none.
exec runc "$@"
"""


def container_toolkit(version: str) -> list[Package]:
    """Return a version of the container toolkit as NVIDIA's own repository for it has it."""
    full = f"{version}-1"
    tools = {
        "usr/bin/nvidia-ctk": CTK.format(version=version),
        "usr/bin/nvidia-container-runtime": RUNTIME,
        "etc/nvidia-container-runtime/config.toml": '[nvidia-container-runtime]\nmode = "auto"\n',
    }
    return [
        Package("libnvidia-container1", full),
        Package("libnvidia-container-tools", full, f"libnvidia-container1 (>= {full})"),
        Package("nvidia-container-toolkit-base", full, files=tools),
        Package(
            "nvidia-container-toolkit",
            full,
            f"nvidia-container-toolkit-base (= {full}), libnvidia-container-tools (>= {full})",
        ),
    ]


def bundle(folder: str) -> list[Package]:
    """Return what somebody without a network brings along: one version, packages and their dependencies only."""
    return debian("590.48.01", folder == "debian12")


#: Folder of a repository, as NVIDIA calls it (Canonical's is the lab's word) → its packages.
REPOSITORIES: dict[str, t.Callable[[], list[Package]]] = {
    "debian12": lambda: [one for version in VERSIONS for one in debian(version, True)] + unversioned(),
    "debian13": lambda: [one for version in VERSIONS for one in debian(version, False)] + unversioned(),
    "ubuntu2204": lambda: [one for version in VERSIONS for one in ubuntu(version)] + unversioned(),
    "ubuntu2404": lambda: [one for version in VERSIONS for one in ubuntu(version)] + unversioned(),
    "container_toolkit": lambda: [one for version in TOOLKITS for one in container_toolkit(version)],
    "canonical2404": lambda: [one for version in VERSIONS for one in canonical(version)],
}
