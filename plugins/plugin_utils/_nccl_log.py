# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What NCCL says of the paths that it took: ``NCCL_DEBUG=INFO`` with the subsystems INIT and NET.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Evidence of a path are the lines ``Channel … via …`` alone, from what each channel was connected by. That an HCA *can* do
GPUDirect ("GPU Direct RDMA Enabled for HCA 0") or was found ("NET/IB : Using [0]mlx5_0:1/IB") does not say that it is used.
Forms as in NCCL 2.18 to 2.30 (src/transport/net.cc, net_ib/init.cc). The RDMA plugin of NVIDIA's images calls itself
``IBext_v8`` or ``NCCL RDMA Plugin v10`` there, and is RDMA as well.
"""

from __future__ import annotations

import re
import typing as t

#: host:pid:tid [gpu] NCCL INFO …; the host alone matters. A warning names file and line before NCCL, and has the time before all
#: from 2.26 on (src/debug.cc; NCCL_DEBUG_TIMESTAMP_LEVELS).
_LINE = re.compile(
    r"^(?:\[[^]]*\] )?(?P<host>[^\s:]+):\d+:\d+ \[\d+\] (?:\S+:\d+ )?NCCL (?P<level>INFO|WARN) (?P<text>.*)$"
)
_VIA = re.compile(
    r"^(?:Channel|Ring) \d+(?:/\d+)? : (?P<from>\d+)\[\w+\] -> (?P<to>\d+)\[\w+\](?: \[(?P<side>send|receive)\])? via (?P<path>.+)$"
)
_NET = re.compile(r"^NET/(?P<name>[^/]+)/(?P<device>\d+)(?:\((?P<proxy>\d+)\))?(?P<rest>.*)$")
_USING = re.compile(r"NET/IB : Using(?P<devices>(?: \[\d+\]\S+:\d+\S*)+)")
_DEVICE = re.compile(r"\[(\d+)\](\S+?):(\d+)(?::\S*)?/(\w+)")
_VIRTUAL = re.compile(r"Made virtual device \[(\d+)\] name=(\S+)")
_VERSION = re.compile(r"NCCL version (\d+\.\d+\.\d+)")
_HCA_SET = re.compile(r"NCCL_IB_HCA set to (\S+)")

#: Names of transports that are RDMA, as NCCL's log writes them.
_RDMA = re.compile(r"^(IB|IBext.*|NCCL RDMA Plugin.*)$")

Host = dict[str, t.Any]


def parse(text: str) -> dict[str, t.Any]:
    """Return {version, hosts: {host: …}, warnings: [line]} of the logs of any number of ranks.

    Per host: ``hcas`` that NCCL found, by its number ({0: ["mlx5_0"]}; a merged device has several), ``link_layers``, whether it
    said ``no_device``, ``network`` (IB, Socket, …), ``asked`` (NCCL_IB_HCA), and ``channels``: {(transport, number, gdr): ends}.
    Ends of channels within a node have the number -1. Lines of other programs are skipped.
    """
    version, warnings = "", []
    hosts: dict[str, Host] = {}
    for raw in text.splitlines():
        found = _VERSION.search(raw)
        version = found.group(1) if found else version
        line = _LINE.match(raw.strip())
        if line is None:
            continue
        host = hosts.setdefault(line["host"], _host())
        if line["level"] == "WARN":
            warnings.append(line["text"])
        else:
            _read(line["text"], host)
    return {"version": version, "hosts": hosts, "warnings": list(dict.fromkeys(warnings))}


def is_rdma(transport: str) -> bool:
    """Tell whether a transport, as NCCL names it, is RDMA."""
    return bool(_RDMA.match(transport))


def _host() -> Host:
    return {"hcas": {}, "link_layers": [], "no_device": False, "network": "", "asked": "", "channels": {}}


def _read(text: str, host: Host) -> None:
    using, virtual, asked, via = _USING.search(text), _VIRTUAL.search(text), _HCA_SET.search(text), _VIA.match(text)
    if "NET/IB : No device found" in text:
        host["no_device"] = True
    elif text.startswith("Using network "):
        host["network"] = text.removeprefix("Using network ").strip()
    elif using:
        for number, name, _port, layer in _DEVICE.findall(using["devices"]):
            host["hcas"].setdefault(int(number), [name])
            host["link_layers"] = sorted({*host["link_layers"], layer})
    elif virtual:
        host["hcas"][int(virtual[1])] = virtual[2].split("+")
    elif asked:
        host["asked"] = asked[1]
    elif via:
        key = _channel(via["path"])
        host["channels"][key] = host["channels"].get(key, 0) + 1


def _channel(path: str) -> tuple[str, int, bool]:
    """Return (transport, number of its device, GPUDirect) of what follows ``via``."""
    net = _NET.match(path)
    if net is None:
        return path, -1, False
    return net["name"], int(net["device"]), "/GDRDMA" in net["rest"]
