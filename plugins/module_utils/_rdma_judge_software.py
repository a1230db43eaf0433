# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of how programs reach the HCAs: character devices, kernel modules, GPUDirect, locked memory.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _gdr, _host_judge_limits
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_common import (
    Bad,
    Finding,
    Judged,
    Node,
    Skip,
    not_said,
    over,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_read import DRIVERS, MODULES
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, PASS, WARN

_ROLE = "Run the role gpufleet.inference.rdma here."


def characters(node: Node) -> Judged:
    """/dev/infiniband itself proves nothing: it is there without any HCA."""
    read = node.read["characters"]

    def judge(name: str, one: t.Mapping[str, t.Any]) -> Bad | None:
        missing = [] if read["verbs"].get(name) else ["uverbs"]
        for port, said in one["ports"].items():
            if said["link_layer"] != "Ethernet" and not read["mad"].get(f"{name}/{port}"):
                missing.append(f"umad of port {port}")
        return Bad(FAIL, f"no {', no '.join(missing)}") if missing else None

    remedy = "Load ib_uverbs and ib_umad (modprobe), look whether udev makes /dev/infiniband/*."
    source = "/sys/class/infiniband_verbs, /sys/class/infiniband_mad, /dev/infiniband"
    expected = "one uverbs per HCA, one umad per InfiniBand port"
    return over(node.hcas, judge, expected, remedy, source, f"those of {len(node.hcas)} HCAs")


def _needed(node: Node) -> list[str]:
    """Return the modules that these HCAs need; ib_umad is InfiniBand's."""
    drivers = DRIVERS if any(one["vendor"] == "15b3" for one in node.hcas.values()) else ()
    return [*drivers, *(name for name in MODULES if name != "ib_umad" or not node.on_ethernet)]


def modules(node: Node) -> Judged:
    missing = [name for name in _needed(node) if not node.read["modules"][name]["loaded"]]
    expected, source = ", ".join(_needed(node)), "/sys/module, modules.builtin"
    if missing:
        return Finding(FAIL, f"not loaded: {', '.join(missing)}", expected, f"Load them with modprobe. {_ROLE}", source)
    return Finding(PASS, "loaded", expected, source=source)


def modules_persist(node: Node) -> Judged:
    if node.read["boot"]["container"]:
        return Skip("modules belong to the machine around this container")
    needed = [name for name in _needed(node) if name not in DRIVERS]
    fleeting = [name for name in needed if not node.read["modules"][name]["persistent"]]
    expected, source = ", ".join(needed), "modules-load.d, /etc/rdma/modules"
    if fleeting:
        observed = f"nothing loads {', '.join(fleeting)} at boot"
        return Finding(WARN, observed, expected, f"List them in /etc/modules-load.d. {_ROLE}", source)
    return Finding(PASS, "loaded at boot", expected, source=source)


def gdr(node: Node) -> Judged:
    wished = node.profile.gdr
    if wished == "none":
        return Skip("expect.gdr is none")
    if not node.gpus:
        return Skip("there is no NVIDIA GPU here")
    if wished is None:
        return not_said("gdr", _gdr.observed(node.read["gdr"]), _gdr.SOURCE)
    answer = _gdr.judge(node.read["gdr"], wished)
    return Finding(answer.verdict, answer.observed, wished, answer.remedy, _gdr.SOURCE)


def _memlock(node: Node, whose: str) -> Judged:
    if not node.profile.memlock:
        return Skip("expect.memlock is false")
    readings = {"limits": node.read["limits"], "container": node.read["boot"]["container"]}
    checks = {one["name"]: one for one in _host_judge_limits.memlock(readings, "unlimited")}
    one = checks[f"memlock of {whose}"]
    return Finding(*(one[key] for key in Finding._fields))


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "character devices": characters,
    "kernel modules": modules,
    "kernel modules at boot": modules_persist,
    "GPUDirect RDMA": gdr,
    "memlock of services": lambda node: _memlock(node, "services"),
    "memlock of logins": lambda node: _memlock(node, "logins"),
}
