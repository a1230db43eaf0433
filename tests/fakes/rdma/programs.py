# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What surrounds the RDMA devices of a fake node: kernel, modules, driver of the GPUs, answers of programs."""

from __future__ import annotations

import json
import typing as t

Data = dict[str, t.Any]

KERNEL = "6.8.0-60-generic"
BOOTED_AT, UPTIME = 1763700000, 200000.0
MODULES = ("ib_core", "ib_uverbs", "ib_umad", "rdma_ucm", "mlx5_core", "mlx5_ib")
_OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (dvs-builder@U22-I3)"
_LIMITS = "Max open files            1048576     1048576     files\nMax locked memory         {0}     {0}     bytes\n"


def files(node: Data) -> Data:
    """Return what /proc, /sys/module and /etc hold."""
    soft = any(not one["address"] for one in node["there"].values())
    loaded = dict.fromkeys([*MODULES[:4], "rdma_rxe"] if soft else MODULES, "")
    found: Data = {
        "/proc/sys/kernel/osrelease": KERNEL,
        "/proc/stat": f"cpu  1 2 3\nbtime {BOOTED_AT}",
        "/proc/uptime": f"{UPTIME} 1.0",
        "/proc/cmdline": "root=/dev/md0 ro iommu=pt",
        "/proc/cpuinfo": f"processor\t: 0\nflags\t\t: fpu sse2{' hypervisor' if node['guest'] else ''} lm",
        "/proc/1/limits": _LIMITS.format(node["memlock"]),
        "/proc/driver/nvidia/version": _OPEN if node["gpus"] else None,
        "/proc/net/route": (
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n"
            f"{node['default_route']}\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0"
        ),
        "/sys/kernel/iommu_groups/0/type": "identity",
        "/etc/modules-load.d/rdma.conf": "ib_uverbs\nib_umad\nrdma_ucm",
        f"/lib/modules/{KERNEL}/modules.builtin": "kernel/fs/ext4/ext4.ko",
    }
    for name, version in {**loaded, **node["modules"]}.items():
        if version is not None:
            found[f"/sys/module/{name}/refcnt"], found[f"/sys/module/{name}/version"] = "3", version
    return found


def answers(node: Data) -> Data:
    """Return {words of a command line: what it prints}."""
    limits = _LIMITS.format(node["memlock"])
    return {
        "systemd-run": limits,
        "runuser": limits,
        **({} if node["log"] is None else {"journalctl --dmesg": journal(node["log"])}),
        **node["answers"],
    }


def journal(lines: t.Iterable[t.Any]) -> str:
    """Return lines, or [seconds since boot, line], as journalctl's JSON; a line without a time came a minute ago."""
    timed = [(UPTIME - 60, one) if isinstance(one, str) else (float(one[0]), one[1]) for one in lines]
    entries = [{"_SOURCE_MONOTONIC_TIMESTAMP": str(int(at * 1e6)), "MESSAGE": text} for at, text in timed]
    first = {"__MONOTONIC_TIMESTAMP": "1", "MESSAGE": "Linux version 6.8"}
    return "".join(json.dumps(entry) + "\n" for entry in [first, *entries])
