# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the state of NVIDIA's kernel driver without calling it: modules, device nodes, nouveau, Secure Boot, next boot.

The shapes are those of ``_gpu_host``.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import stat
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host, container
from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import natural

MODULES = (
    *("nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_drm", "nvidia_peermem", "nvidia_fs", "gdrdrv"),
    *("nouveau", "nova_core", "ib_core", "ib_umad", "ib_uverbs"),
)

#: Debian's own packages keep the module under another name and load it as nvidia.
MODULE_FILES = ("nvidia", "nvidia-current", "nvidia-current-open")

#: The GUID of UEFI's global variables (UEFI specification, 3.3).
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

#: Where DKMS (Debian 12, upstream) and Ubuntu keep the key that signs modules built here.
MACHINE_OWNER_KEYS = ("/var/lib/dkms/mok.pub", "/var/lib/shim-signed/mok/MOK.der")

#: Linux offers dma-buf to RDMA since 5.12 (verify.md 3.5, from NVIDIA's GPU operator documentation).
DMA_BUF_KERNEL = (5, 12)

#: How many kernels are asked for their module when the boot loader's choice is unknown.
_MOST_KERNELS = 4

VERSION = re.compile(r"\b(\d{3,}\.\d+(?:\.\d+)?)\b")


def there(host: Host, path: str) -> bool | None:
    """Return whether the path exists, None when nobody may look."""
    try:
        os.stat(os.path.join(host.root, path.lstrip("/")))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return None
    return True


def boot(host: Host) -> dict[str, t.Any]:
    began = re.search(r"^btime (\d+)", host.text("/proc/stat") or "", re.MULTILINE)
    return {
        "kernel": host.text("/proc/sys/kernel/osrelease") or "",
        "boot_id": host.text("/proc/sys/kernel/random/boot_id") or "",
        "booted_at": float(began[1]) if began else 0.0,
        "uptime_seconds": float((host.text("/proc/uptime") or "0").split()[0]),
        "command_line": host.text("/proc/cmdline") or "",
        "container": container(host),
        "hypervisor": hypervisor(host),
    }


def hypervisor(host: Host) -> bool | None:
    """Return whether this is a virtual machine: x86 has a flag for it, elsewhere systemd is asked."""
    try:
        # The whole file asks every core for its clock; the first one says enough.
        with open(os.path.join(host.root, "proc/cpuinfo"), encoding="utf-8", errors="replace") as cpuinfo:
            flags = re.search(r"^flags\s*:(.*)", cpuinfo.read(8192), re.MULTILINE)
    except OSError:
        flags = None
    if flags:
        return "hypervisor" in flags[1].split()
    asked = host.run(["systemd-detect-virt", "--vm"])
    return asked.stdout.strip() != "none" if asked.stdout.strip() else None


def driver(host: Host) -> dict[str, t.Any]:
    """Return what /proc/driver/nvidia/version says; both flavours word it differently."""
    text = host.text("/proc/driver/nvidia/version")
    first = (text or "").partition("\n")[0]
    version = VERSION.search(first)
    flavour = "open" if "Open Kernel Module" in first else "proprietary" if "Kernel Module" in first else ""
    return {
        "loaded": there(host, "/proc/driver/nvidia/version") if text is None else True,
        "text": first,
        "version": version[1] if version else "",
        "flavour": flavour,
    }


def modules(host: Host) -> dict[str, dict[str, t.Any]]:
    found = {}
    for name in MODULES:
        references = host.text(f"/sys/module/{name}/refcnt")
        found[name] = {
            "loaded": there(host, f"/sys/module/{name}"),
            "version": host.text(f"/sys/module/{name}/version") or "",
            "references": int(references) if references and references.lstrip("-").isdigit() else None,
        }
    return found


def nouveau(host: Host) -> dict[str, t.Any]:
    """Return who keeps nouveau out: files of modprobe.d, or the kernel's command line."""
    wanted = re.compile(
        r"^\s*(?:blacklist\s+nouveau\b|install\s+nouveau\s+\S*/(?:false|true)\b|alias\s+nouveau\s+off\b)"
    )
    by = [
        path
        for directory in ("/etc", "/run", "/usr/lib")
        for path in host.paths(f"{directory}/modprobe.d/*.conf")
        if any(wanted.match(line) for line in (host.text(path) or "").splitlines())
    ]
    line = host.text("/proc/cmdline") or ""
    if re.search(r"(?:modprobe\.blacklist|rd\.driver\.blacklist|module_blacklist)=\S*\bnouveau\b", line):
        by.append("/proc/cmdline")
    return {"blacklisted_by": by}


def device_nodes(host: Host) -> dict[str, str]:
    """Return {path: mode} of /dev/nvidia*, directories left out."""
    found = {}
    for path in host.paths("/dev/nvidia*"):
        try:
            mode = os.stat(os.path.join(host.root, path.lstrip("/"))).st_mode
        except OSError:
            continue
        if not stat.S_ISDIR(mode):
            found[path] = f"{stat.S_IMODE(mode):04o}"
    return found


def capability_nodes(host: Host) -> dict[str, int]:
    return {name: len(host.paths(f"/dev/{name}/*")) for name in ("nvidia-caps", "nvidia-caps-imex-channels")}


def release(kernel: str) -> tuple[int, ...]:
    """Return (5, 12) of "5.12.0-1-amd64"."""
    return tuple(int(number) for number in re.findall(r"\d+", kernel)[:2])


def gdr(host: Host, flavour: str, loaded: t.Mapping[str, t.Any], kernel: str) -> dict[str, t.Any]:
    """Return the ways by which a network card can reach GPU memory. Without a driver nobody knows about dma-buf."""
    registered = there(host, "/sys/kernel/mm/memory_peers/nv_mem") or there(
        host, "/sys/kernel/mm/memory_peers/nv_mem_nc"
    )
    lines = [
        line.strip()
        for directory in ("/etc", "/run", "/usr/lib")
        for path in host.paths(f"{directory}/modules-load.d/*.conf")
        for line in (host.text(path) or "").splitlines()
    ]
    # nvidia_peermem registers itself with ib_core's peer memory API, or does not load; the two names of its client are
    # those that NCCL looks for beside /sys/module/nvidia_peermem/version.
    peermem = bool(loaded["nvidia_peermem"]["loaded"] and (loaded["nvidia_peermem"]["version"] or registered))
    return {
        "dma_buf": flavour == "open" and release(kernel) >= DMA_BUF_KERNEL if flavour and kernel else None,
        "peermem": peermem,
        "persistent": any(line.replace("-", "_") == "nvidia_peermem" for line in lines),
    }


def secure_boot(host: Host) -> dict[str, t.Any]:
    efi = there(host, "/sys/firmware/efi")
    try:
        with open(os.path.join(host.root, SECURE_BOOT.lstrip("/")), "rb") as variable:
            value = variable.read()[4:5]  # four bytes of attributes come first
        enabled: bool | None = value == b"\x01"
    except OSError:
        # A machine without UEFI has no Secure Boot; with it, an unreadable variable says nothing.
        enabled = False if efi is False else None
    lockdown = re.search(r"\[(\w+)\]", host.text("/sys/kernel/security/lockdown") or "")
    # Only an enforcing firmware asks for keys.
    keys = [path for path in MACHINE_OWNER_KEYS if there(host, path)] if enabled else []
    return {
        "efi": bool(efi),
        "enabled": enabled,
        "lockdown": lockdown[1] if lockdown else "",
        "keys": [{"path": path, "enrolled": enrolled(host, path)} for path in keys],
    }


def enrolled(host: Host, path: str) -> bool | None:
    """Return mokutil's answer; its exit status differs between versions, its words do not."""
    said = host.run(["mokutil", "--test-key", path])
    words = said.stdout + said.stderr + said.problem
    if "is not enrolled" in words:
        return False
    return True if "is already enrolled" in words else None


def next_kernel(host: Host) -> str | None:
    """Return the kernel that GRUB starts by default, None when that cannot be said for sure."""
    environment = (host.text("/boot/grub2/grubenv") or "") + "\n" + (host.text("/boot/grub/grubenv") or "")
    values = dict(re.findall(r"^(\w+)=(.*)$", environment, re.MULTILINE))
    if values.get("next_entry"):
        return None
    wanted = r"^\s*linux\w*\s+\S*vmlinuz-(\S+)"
    entry = host.text(f"/boot/loader/entries/{values['saved_entry']}.conf") if values.get("saved_entry") else None
    if entry is not None:
        found = re.search(wanted, entry, re.MULTILINE)
        return found[1] if found else None
    menu = host.text("/boot/grub/grub.cfg") or ""
    if not re.search(r'^\s*set default="0"', menu, re.MULTILINE):
        return None
    found = re.search(wanted, menu, re.MULTILINE)
    return found[1] if found else None


def kernels(host: Host, running: str) -> dict[str, t.Any]:
    """Return which version of the module lies on disk for the running kernel and for the next one (or all others)."""
    following = next_kernel(host)
    installed = [path.rpartition("vmlinuz-")[2] for path in host.paths("/boot/vmlinuz-*")]
    others = [following] if following else sorted(installed, key=natural, reverse=True)
    names = list(dict.fromkeys([running, *others]))[:_MOST_KERNELS]
    found: dict[str, str | None] = {}
    problem = ""
    for name in names:
        asked = host.run(["modinfo", "-F", "version", "-k", name, *MODULE_FILES])
        if asked.stdout.strip():
            found[name] = asked.stdout.split()[0]
        elif asked.rc == 1 and "not found" in asked.stderr:
            found[name] = ""
        else:
            found[name], problem = None, asked.problem
    return {"running": running, "next": following, "nvidia": found, "problem": problem}
