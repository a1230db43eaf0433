# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the packages of the driver are called, by repository: a naming is a table, its parts are lists of alternatives.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Names change with repository, branch and distribution, so that no name is built from a version alone: of each part's
alternatives the first counts whose packages all exist at exactly the driver's version. ``{branch}`` is the first number
of that version. Sources, read on 2026-11-22: NVIDIA's driver installation guide (branches 590 to 620, with its list of
Ubuntu packages renamed at 590), NVIDIA/gpu-driver-container pull request 451 (``nvidia-fabricmanager-580`` is only a
virtual package), the Debian and Ubuntu package indexes, AWS's and Azure's installers.
"""

from __future__ import annotations

import dataclasses

Alternatives = tuple[tuple[str, ...], ...]


@dataclasses.dataclass(frozen=True)
class Naming:
    """The names in one repository.

    ``open``, ``proprietary``, ``compute``, ``fabric_manager``, ``imex``: alternatives at exactly the driver's version.
    ``nscq`` and ``optional``: taken at that version where they exist. ``loose`` and ``nvlsm``: packages that count their
    versions by themselves. ``pinning``: the repository's own package that keeps apt at a version, best first.
    """

    open: Alternatives
    proprietary: Alternatives
    compute: Alternatives
    fabric_manager: Alternatives = ()
    imex: Alternatives = ()
    nscq: Alternatives = ()
    optional: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    nvlsm: tuple[str, ...] = ()
    pinning: tuple[str, ...] = ()


def _either(*stems: str) -> Alternatives:
    """Return the alternatives of a part whose name lost its branch at some release."""
    return (stems, tuple(f"{stem}-{{branch}}" for stem in stems))


_PINNING = ("nvidia-driver-pinning-{version}", "nvidia-driver-pinning-{branch}")

NAMINGS: dict[str, Naming] = {
    # NVIDIA's repository, Debian 12 and 13. nvidia-driver-cuda is the compute-only set: libcuda1, NVML, nvidia-smi.
    "nvidia_debian": Naming(
        open=(("nvidia-kernel-open-dkms",),),
        proprietary=(("nvidia-kernel-dkms",),),
        compute=(("nvidia-driver-cuda",),),
        fabric_manager=_either("nvidia-fabricmanager"),
        imex=_either("nvidia-imex"),
        nscq=_either("libnvidia-nscq"),
        optional=("nvidia-persistenced", "nvidia-modprobe"),
        nvlsm=("nvlsm",),
        pinning=_PINNING,
    ),
    # NVIDIA's repository, Ubuntu: names lost the branch at 590, those of Fabric Manager, NSCQ and IMEX at 580.
    "nvidia_ubuntu": Naming(
        open=(("nvidia-dkms-open",), ("nvidia-dkms-{branch}-open",)),
        proprietary=_either("nvidia-dkms"),
        compute=_either("libnvidia-compute", "nvidia-utils"),
        fabric_manager=_either("nvidia-fabricmanager"),
        imex=_either("nvidia-imex"),
        nscq=_either("libnvidia-nscq"),
        optional=("nvidia-compute-utils", "nvidia-compute-utils-{branch}", "nvidia-persistenced", "nvidia-modprobe"),
        nvlsm=("nvlsm",),
        pinning=_PINNING,
    ),
    # Canonical's restricted and multiverse: the server series first, as Fabric Manager follows it.
    "ubuntu_server": Naming(
        open=(("nvidia-dkms-{branch}-server-open",),),
        proprietary=(("nvidia-dkms-{branch}-server",),),
        compute=(("libnvidia-compute-{branch}-server", "nvidia-utils-{branch}-server"),),
        fabric_manager=(("nvidia-fabricmanager-{branch}",),),
        nscq=(("libnvidia-nscq-{branch}",),),
        optional=("nvidia-compute-utils-{branch}-server",),
    ),
    "ubuntu": Naming(
        open=(("nvidia-dkms-{branch}-open",),),
        proprietary=(("nvidia-dkms-{branch}",),),
        compute=(("libnvidia-compute-{branch}", "nvidia-utils-{branch}"),),
        fabric_manager=(("nvidia-fabricmanager-{branch}",),),
        nscq=(("libnvidia-nscq-{branch}",),),
        optional=("nvidia-compute-utils-{branch}",),
    ),
    # Debian's contrib and non-free: one branch per release, no Fabric Manager; two tools count by themselves.
    "debian": Naming(
        open=(("nvidia-open-kernel-dkms",),),
        proprietary=(("nvidia-kernel-dkms",),),
        compute=(("libcuda1", "libnvidia-ml1", "nvidia-smi"),),
        loose=("nvidia-persistenced", "nvidia-modprobe"),
    ),
    # NVIDIA's repository, RHEL 9 and its rebuilds.
    "nvidia_rhel": Naming(
        open=(("kmod-nvidia-open-dkms",),),
        proprietary=(("kmod-nvidia-latest-dkms",),),
        compute=(("nvidia-driver-cuda",),),
        fabric_manager=(("nvidia-fabricmanager",), ("nvidia-fabric-manager",)),
        imex=(("nvidia-imex",),),
        nscq=(("libnvidia-nscq",),),
        optional=("nvidia-persistenced", "nvidia-modprobe"),
        nvlsm=("nvlsm",),
    ),
}

#: Packages of the driver, whatever the repository: none of them may come at another version than the lock's.
#: NVIDIA's container toolkit is not among them although its names look alike; it has a lock of its own.
FAMILY: tuple[str, ...] = (
    "cuda-compat-*",
    "cuda-drivers*",
    "firmware-nvidia-gsp",
    "kmod-nvidia*",
    "libcuda1",
    "libnvidia-cfg1*",
    "libnvidia-compute*",
    "libnvidia-gpucomp*",
    "libnvidia-ml1",
    "libnvidia-nscq*",
    "libnvidia-nvvm*",
    "libnvidia-pkcs11*",
    "libnvidia-ptxjitcompiler1",
    "libnvsdm*",
    "nvidia-alternative*",
    "nvidia-compute-utils*",
    "nvidia-dkms*",
    "nvidia-driver*",
    "nvidia-fabric*",
    "nvidia-firmware*",
    "nvidia-headless*",
    "nvidia-imex*",
    "nvidia-kernel-common-*",
    "nvidia-kernel-dkms",
    "nvidia-kernel-open*",
    "nvidia-kernel-source*",
    "nvidia-kernel-support*",
    "nvidia-modprobe",
    "nvidia-open*",
    "nvidia-persistenced",
    "nvidia-smi",
    "nvidia-utils*",
    "nvlsm",
)

#: Of the lock's version where there is one; but Debian counts it by itself (20220217+3) and needs it.
SHARED: tuple[str, ...] = ("nvidia-kernel-common",)
