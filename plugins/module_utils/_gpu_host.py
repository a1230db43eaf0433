# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read everything about a GPU node that NVML does not tell: plain files and a few bounded commands, no driver call.

``read_gpu_host()`` returns plain data. In it **None means that nobody could look** (the reason is in the ``problem``
beside it, if there is one), while ``False``, ``""``, ``[]`` and ``{}`` are answers: it was looked at and is not there.

::

    {"boot": {"kernel": "6.8.0-60-generic", "boot_id": "…", "booted_at": 1763700000.0,      # Unix seconds
              "uptime_seconds": 812.3, "command_line": "root=… iommu=pt", "container": "" | "docker" | "lxc" …,
              "hypervisor": True},                # cpuinfo's flag: this is a virtual machine; None: not x86
     "driver": {"loaded": True,                   # /proc/driver/nvidia/version is there
                "text": "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build …",
                "version": "580.159.04",          # "" when not loaded or when the text is of another kind
                "flavour": "open" | "proprietary" | ""},
     "modules": {"nvidia": {"loaded": True, "version": "580.159.04" | "", "references": 3 | None}, …},
                 # always: nvidia nvidia_uvm nvidia_modeset nvidia_drm nvidia_peermem nvidia_fs gdrdrv nouveau nova_core
                 #         ib_core ib_umad ib_uverbs
     "nouveau": {"blacklisted_by": ["/etc/modprobe.d/…conf", "/proc/cmdline"]},            # loaded: see modules
     "gpus": [FUNCTION], "nvswitches": [FUNCTION],                                          # by PCI address; None: no /sys
     # FUNCTION = {"pci": "0000:06:00.0", "class": "0302", "device_id": "2335", "subsystem_id": "18bf10de",
     #   "driver": "nvidia" | "vfio-pci" | "nouveau" | "", "numa_node": 0 | -1 | None,
     #   "revision": "a1" | None,      # byte 8 of the live configuration space; "ff" is a card that fell off the bus
     #   "link_speed_gts": 32.0, "link_speed_max_gts": 32.0, "link_width": 16, "link_width_max": 16,   # or None
     #   "link_partner_speed_max_gts": 32.0, "link_partner_width_max": 16,  # the port above it; None: no such port
     #   "aer": {"fatal": 0, "nonfatal": 0, "correctable": 0} | None}
     "nvlink5_bridges": {"pci": ["0000:05:00.0"], "problem": ""},  # ConnectX functions whose VPD says SW_MNG (HGX B200/B300)
     "device_nodes": {"/dev/nvidiactl": "0666", "/dev/nvidia0": "0666", "/dev/nvidia-uvm": "0666", …},   # path: mode
     "capability_nodes": {"nvidia-caps": 2, "nvidia-caps-imex-channels": 1},                # how many nodes each holds
     "libraries": {"libcuda.so.1": [LIBRARY], "libnvidia-ml.so.1": [LIBRARY], "problem": ""},   # as the loader finds them;
     # LIBRARY = {"path": "/usr/lib/…/libcuda.so.1", "version": "580.159.04" | "", "exists": True}    lists None: no ldconfig
     "kernel_log": LOG,
     # LOG = {"source": "journal" | "kmsg" | "", "problem": "",  # no source: nobody could look
     #   "complete": True,         # False: lines of this boot were lost before they could be read
     #   "dropped": 0,             # repetitions left out; of every kind of line the first and the last ten are kept
     #   "lines": [{"time": 1763700100.2, "uptime_seconds": 100.2, "text": "NVRM: Xid (PCI:0000:06:00): 79, …"}]}
     "units": {"nvidia-fabricmanager.service": UNIT, …} | None, "units_problem": "",
     # always: nvidia-fabricmanager nvidia-persistenced nvidia-imex nvlsm nvidia-cdi-refresh nvidia-dcgm docker (.service),
     #         nvidia-cdi-refresh.path
     # UNIT = {"load": "loaded" | "not-found" | "masked" …, "active": "active", "sub": "running", "enabled": "enabled" | "",
     #   "restarts": 0, "result": "success", "pid": 812, "exec_start": "/usr/bin/nvidia-persistenced --user …",
     #   "active_for_seconds": 700.1 | None}
     "fabric_manager": {"installed": True, "version": "580.159.04" | "" | None,  # nv-fabricmanager --version, else its package
                        "problem": "", "configuration": {"FABRIC_MODE": "0", …} | None, "log": LOG},
     # its log: the unit's journal of this boot and, as is its default, the file LOG_FILE_NAME; lines that matter only
     "imex": {"nodes": ["10.0.0.1"] | None},                                                # nodes_config.cfg
     "processes": {"nv-fabricmanager": [812], "nvidia-persistenced": [], "nvlsm": [], "nvidia-imex": [],
                   "nv-hostengine": []},
     "stuck_processes": [{"pid": 4711, "name": "python3", "where": "rm_ioctl"}],           # in the driver, without a move
     "packages": {"manager": "apt" | "dnf" | "unknown", "versions": {"nvidia-open": "580.159.04-1", …},
                  "held": ["nvidia-open"], "blacklist": ["nvidia-.*"] | None},              # only NVIDIA's and related ones
     "kernels": {"running": "6.8.0-60-generic", "next": "6.8.0-62-generic" | None,         # None: boot loader unknown
                 "nvidia": {"6.8.0-60-generic": "580.159.04" | "" | None, …},              # module on disk; "": none
                 "problem": ""},
     "secure_boot": {"efi": True, "enabled": True | False | None, "lockdown": "none" | "integrity" | "confidentiality" | "",
                     "keys": [{"path": "/var/lib/dkms/mok.pub", "enrolled": True | False | None}]},
     "gdr": {"dma_buf": True | False | None,      # open module and kernel >= 5.12
             "peermem": True | False,             # nvidia_peermem is loaded and registered with ib_core
             "persistent": True | False},         # nvidia-peermem stands in modules-load.d
     "environment": [{"path": "/etc/environment", "name": "CUDA_INJECTION64_PATH", "value": "…"}],   # harmful ones only
     "containers": {"toolkit": "1.18.0" | "" | None, "toolkit_problem": "",
                    "runtime_mode": "auto" | "cdi" | "legacy" | "",                         # nvidia-container-runtime's config
                    "cdi": [{"path": "/var/run/cdi/nvidia.yaml", "devices": ["0", "all"], "driver_version": "580.159.04" | ""}],
                    "docker": {"daemon_json": {…} | None, "problem": "", "default_runtime": "runc", "runtimes": ["nvidia"],
                               "cdi": True | None, "cgroup_driver": "systemd" | "cgroupfs"},
                    "cgroup_version": 1 | 2 | None, "device_links": 10},                    # nodes of NVIDIA in /dev/char
     "memory_bytes": 2164000000000}

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import concurrent.futures
import time
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_host_driver as _driver
from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_host_services as _services
from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_host_software as _software
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome, bounded
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_host_pci import read_pci
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host, memory_bytes
from ansible_collections.gpufleet.inference.plugins.module_utils._kernel_log import read_kernel_log


def read_gpu_host(
    root: str = "/",
    run: t.Callable[..., Outcome] = bounded,
    sleep: t.Callable[[float], None] = time.sleep,
) -> dict[str, t.Any]:
    """Return what is documented above; never raises for what is missing, never waits without a bound."""
    host = Host(root=root, run=run, sleep=sleep)
    daemons, asleep = _services.processes(host)
    boot = _driver.boot(host)
    driver, modules = _driver.driver(host), _driver.modules(host)
    # Most of the time goes into waiting for other programs, so they wait side by side.
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        pci = pool.submit(read_pci, host)
        kernel_log = pool.submit(read_kernel_log, host, boot["booted_at"])
        units = pool.submit(_services.units, host, boot["uptime_seconds"])
        packages = pool.submit(_software.packages, host)
        libraries = pool.submit(_software.libraries, host)
        kernels = pool.submit(_driver.kernels, host, boot["kernel"])
        secure_boot = pool.submit(_driver.secure_boot, host)
        containers = pool.submit(_software.containers, host)
        known = (units.result()["units"] or {}).get(_services.FABRIC_MANAGER, {}).get("load") == "loaded"
        versions = packages.result()["versions"]
        return {
            "boot": boot,
            "driver": driver,
            "modules": modules,
            "nouveau": _driver.nouveau(host),
            "device_nodes": _driver.device_nodes(host),
            "capability_nodes": _driver.capability_nodes(host),
            "gdr": _driver.gdr(host, driver["flavour"], modules, boot["kernel"]),
            "environment": _software.environment(host),
            "imex": _services.imex(host),
            "fabric_manager": _services.fabric_manager(host, boot["booted_at"], versions, known),
            "processes": daemons,
            "memory_bytes": memory_bytes(host),
            "packages": packages.result(),
            "libraries": libraries.result(),
            "kernels": kernels.result(),
            "secure_boot": secure_boot.result(),
            "containers": containers.result(),
            "kernel_log": kernel_log.result(),
            **units.result(),
            **pci.result(),
            "stuck_processes": _services.still_asleep(host, asleep),
        }
