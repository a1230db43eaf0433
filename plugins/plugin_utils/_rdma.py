# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what the role ``rdma`` does on a node: pure functions on plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``node`` is what ``node_facts`` read. ``wishes`` are the role's variables without their prefix: those of ``_hca_choice``, and
``state``, ``prepare``, ``stack``, ``packages``, ``modules``, ``acs_disabled``, ``max_read_request_bytes``, ``iommu``,
``roce_trust``, ``roce_pfc_priorities``, ``traffic_class``, ``nccl_conf``, ``doca_version``, ``doca_packages``,
``doca_key_fingerprint``, ``kernel_options_commands``, ``lack_refused``.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _hca_choice, _rdma_containers
from ansible_collections.gpufleet.inference.plugins.plugin_utils._hca_ports import ETHERNET
from ansible_collections.gpufleet.inference.plugins.plugin_utils._os_tuning import in_container

UNIT = "gpufleet-rdma.service"

#: Files whose names are not ours: one that we never wrote is the administrator's.
SHARED = {"nccl": "/etc/nccl.conf", "naming": "/etc/udev/rules.d/60-rdma-persistent-naming.rules"}

#: Where this role names DOCA's repository.
SOURCES = ("/etc/apt/sources.list.d/gpufleet-doca.sources", "/etc/yum.repos.d/gpufleet-doca.repo")

#: Devices as the kernel calls them.
_KERNEL_NAME = re.compile(r"[a-z]+\d*_(bond_)?\d+")

#: What PCI Express knows, in bytes; 0 leaves the register alone.
READ_REQUESTS = (0, 128, 256, 512, 1024, 2048, 4096)

#: The kernel's option per value of ``rdma_iommu``.
KERNEL_OPTIONS = {"keep": "", "pt": "iommu=pt"}

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}")


def mistakes(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Return one sentence per mistake: the variable, what is wrong, what to do."""
    if wishes["state"] == "absent":
        return []
    found = _doca_mistakes(wishes) if wishes["stack"] == "doca_ofed" else []
    if wishes["max_read_request_bytes"] not in READ_REQUESTS:
        told = ", ".join(str(one) for one in READ_REQUESTS)
        found.append(
            f"rdma_max_read_request_bytes: {wishes['max_read_request_bytes']} is none of {told}; write one of them."
        )
    for name, most in (("traffic_class", 255), ("gid_index", 65535), ("rate_gbps", 10000), ("compute_hcas", 64)):
        if wishes[name] is not None and not 0 <= wishes[name] <= most:
            found.append(f"rdma_{name}: {wishes[name]} is not between 0 and {most}; write a number between them.")
    wrong = [one for one in wishes["roce_pfc_priorities"] if one not in range(8)]
    if wrong:
        found.append(f"rdma_roce_pfc_priorities: {wrong} are no priorities; write numbers from 0 to 7.")
    if wishes["topology_file"] and not wishes["topology_file"].startswith("/"):
        found.append(
            f"rdma_topology_file: {wishes['topology_file']} is no absolute path; write where it lies on the node."
        )
    return found + (list(choice(node, wishes)["mistakes"]) if wishes["lack_refused"] else [])


def _doca_mistakes(wishes: t.Mapping[str, t.Any]) -> list[str]:
    found = []
    if not _VERSION.fullmatch(wishes["doca_version"]):
        found.append(
            f"rdma_doca_version: {wishes['doca_version']!r} is not one exact version; write one such as 3.2.1: its modules "
            "must fit the kernel and the GPU driver that are pinned beside it."
        )
    if not _FINGERPRINT.fullmatch(wishes["doca_key_fingerprint"]):
        found.append(
            "rdma_doca_key_fingerprint: 40 hexadecimal digits in capitals are needed; `gpg --show-keys` prints them for the key "
            "that you trust."
        )
    return found


def choice(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the HCAs for the engines of a node, see ``_hca_choice``."""
    return _hca_choice.choose(node["rdma"], wishes)


def plan(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what must be so on the node::

    {"applies": bool, "choice": see _hca_choice, "containers": see _rdma_containers,
     "files": {name: "present" | "absent", or "foreign": somebody else's, to be left alone},
     "packages": [to install], "doca": [to install from DOCA's repository], "hold": [names], "unhold": [names],
     "modules": [to load], "settings": what the boot unit sets, "unit": its name or "", "idle": bool,
     "kernel_options": text, "kernel_options_command": [words], "nccl_conf": text, "expect": profile of rdma_health}
    """
    present = wishes["state"] == "present"
    wanted = wishes["prepare"] == "always" or bool(node["rdma"]["hcas"] or wishes["hcas"] or wishes["compute_hcas"])
    chosen = choice(node, wishes)
    needs = _rdma_containers.needs(chosen, wishes)
    container = in_container(node)
    doca = present and wishes["stack"] == "doca_ofed"
    settings = boot_settings(node, wishes, chosen) if present else {}
    options = "" if container or not present else KERNEL_OPTIONS[wishes["iommu"]]
    # A site that brought DOCA-OFED itself has held it itself.
    ours = any(node["paths"].get(path, {}).get("kind") == "file" for path in SOURCES)
    installed = [name for name in wishes["doca_packages"] if name in node["packages"]]
    packages = sorted(name for name in wishes["packages"] if present and not doca and name not in node["packages"])
    files = {
        "modules": present,
        "naming": present and not doca and _names_kept(node, packages),
        "settings": bool(settings),
        "kernel_options": bool(options),
        "nccl": present and wishes["nccl_conf"] and bool(needs["environment"]),
        "doca": doca,
    }
    return {
        "applies": wanted or not present,
        "choice": chosen,
        "containers": needs,
        "files": {name: _file(node, name, yes) for name, yes in files.items()},
        "packages": packages,
        "doca": [name for name in wishes["doca_packages"] if doca and name not in node["packages"]],
        "hold": [name for name in installed if doca and name not in node["held_packages"]],
        "unhold": [name for name in installed if not doca and ours and name in node["held_packages"]],
        # A container has the modules of its machine.
        "modules": list(wishes["modules"]) if present and not container else [],
        "settings": settings,
        "unit": UNIT if settings else "",
        "idle": bool(settings) and node["units"].get(UNIT, {}).get("active") != "active",
        "kernel_options": options,
        "kernel_options_command": _filled(wishes["kernel_options_commands"]["set" if options else "unset"]),
        "nccl_conf": _rdma_containers.nccl_conf(needs),
        "expect": expectation(wishes, chosen) if present else {},
    }


def _file(node: t.Mapping[str, t.Any], name: str, wanted: bool) -> str:
    if wanted:
        return "present"
    return "foreign" if name in SHARED and SHARED[name] not in node["paths"] else "absent"


def _names_kept(node: t.Mapping[str, t.Any], packages: t.Sequence[str]) -> bool:
    """Whether our rdma-core must not rename devices: its udev rule makes ibp24s0 of mlx5_0 at the next boot.

    Running engines and declared HCAs know them by the old names. Where rdma-core was before us, nothing changes.
    """
    brought = "rdma-core" in packages or node["paths"].get(SHARED["naming"], {}).get("kind") == "file"
    return brought and any(_KERNEL_NAME.fullmatch(name) for name in node["rdma"]["hcas"])


def _filled(words: t.Sequence[str]) -> list[str]:
    """Return a command with the kernel options that this role knows of in place of ``{options}``."""
    return [word.replace("{options}", " ".join(filter(None, KERNEL_OPTIONS.values()))) for word in words]


def boot_settings(
    node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any], chosen: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Return what roles/rdma/files/rdma_settings.py sets at every boot; empty when nothing was asked for, or not of this node.

    In a guest ACS keeps devices of others away, and the read requests of a card that was handed in are the machine's.
    """
    if in_container(node):
        return {}
    metal = node["virtualization"] == "none"
    roce = chosen["link_layer"] == ETHERNET and (wishes["roce_trust"] != "keep" or wishes["roce_pfc_priorities"])
    found: dict[str, t.Any] = {}
    if metal and wishes["acs_disabled"]:
        found["acs_disabled"] = True
    if metal and wishes["max_read_request_bytes"]:
        found["max_read_request_bytes"] = wishes["max_read_request_bytes"]
    if roce:
        found["roce"] = {"trust": wishes["roce_trust"], "pfc_priorities": sorted(wishes["roce_pfc_priorities"])}
    return {**found, "hcas": chosen["hcas"]} if found else {}


def expectation(wishes: t.Mapping[str, t.Any], chosen: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the profile for ``rdma_health``: what was declared, and what this role has made so.

    HCAs that are down and should be among the chosen are expected too. Empty where engines have nothing to use.
    """
    wanted = wishes["compute_hcas"]
    names = list(dict.fromkeys(label.partition(":")[0] for label in chosen["wanted"]))
    hcas: list[str] | int = wanted if wanted and len(names) != wanted else names
    if not hcas or not wishes["used_by_engines"]:
        return {}
    found = {"hcas": hcas, "rate_gbps": wishes["rate_gbps"] or chosen["rate_gbps"], "link_layer": chosen["link_layer"]}
    found |= {"max_read_request": wishes["max_read_request_bytes"], "topology_file": wishes["topology_file"]}
    if chosen["link_layer"] == ETHERNET:
        found["roce_trust"] = "" if wishes["roce_trust"] == "keep" else wishes["roce_trust"]
        found["roce_pfc_priorities"] = sorted(wishes["roce_pfc_priorities"])
    return {key: value for key, value in found.items() if value}
