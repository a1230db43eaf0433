# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of how programs reach the cards: from containers, by GPUDirect RDMA, under confidential computing.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _gdr
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    Finding,
    Judged,
    Node,
    Skip,
    not_said,
    numbers,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import is_unread
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS, WARN

_RUNTIME_ROLE = "Run the role gpufleet.inference.container_runtime here."

#: The first toolkit whose mode `auto` hands GPUs over by CDI: container-toolkit documents, 2026-08.
_CDI_TOOLKIT = (1, 18)


def gdr_path(node: Node) -> Judged:
    """One of two lawful paths is there."""
    read, wished = node.host["gdr"], node.profile.gdr_path
    if wished == "none":
        return Skip("expect.gdr_path is none")
    if wished is None:
        return not_said("gdr_path", _gdr.observed(read), _gdr.SOURCE)
    answer = _gdr.judge(read, wished)
    return Finding(answer.verdict, answer.observed, wished, answer.remedy, _gdr.SOURCE)


def container_gpus(node: Node) -> Judged:
    """What a container gets by CDI is written down: as many GPUs as there are, of the driver that is loaded."""
    read, wished, source = node.host["containers"], node.profile.containers, "nvidia-ctk, CDI specifications"
    if wished == "absent" or (wished == "auto" and read["toolkit"] == ""):
        return Skip("there is no container toolkit, nor is one expected")
    if read["toolkit"] is None:
        return Finding(NOT_VERIFIED, read["toolkit_problem"] or "nvidia-ctk does not answer", "", _RUNTIME_ROLE, source)
    if read["toolkit"] == "":
        return Finding(FAIL, "no container toolkit", "a container sees all GPUs", _RUNTIME_ROLE, source)
    refresh = "Run systemctl restart nvidia-cdi-refresh.service, or nvidia-ctk cdi generate."
    if not read["cdi"]:
        if numbers(read["toolkit"]) >= _CDI_TOOLKIT:
            return Finding(WARN, "no CDI specification", "one device per GPU", refresh, source)
        remedy = "Install container toolkit 1.18 or newer."
        return Finding(WARN, f"toolkit {read['toolkit']}, no CDI specification", "1.18 or newer", remedy, source)
    stale = [spec["path"] for spec in read["cdi"] if spec["driver_version"] not in ("", node.driver_version)]
    if stale and node.driver_version:
        return Finding(FAIL, f"{', '.join(stale)} is of another driver", node.driver_version, refresh, source)
    if node.profile.mig:
        return Skip("with MIG containers get parts of cards")
    listed, there = max(_listed(spec["devices"]) for spec in read["cdi"]), len(node.nvml["gpus"])
    if node.nvml["init"]["code"] != 0 or not there:
        return Finding(NOT_VERIFIED, f"{listed} in CDI, NVML tells of none", listed, "See `NVML answers`.", source)
    return Finding(PASS if listed == there else FAIL, f"{listed} GPUs in CDI", there, refresh, source)


def _listed(names: t.Sequence[str]) -> int:
    """Return how many GPUs a specification lists, whether it names them by index, by UUID or both."""
    return max(sum(name.isdigit() for name in names), sum(name.startswith("GPU-") for name in names))


def container_reload(node: Node) -> Judged:
    """With the legacy hook under systemd's cgroups, `systemctl daemon-reload` takes the GPUs from running containers."""
    read, source = node.host["containers"], "daemon.json, nvidia-container-runtime's config.toml, /dev/char"
    docker = read["docker"]
    if not read["toolkit"]:
        return Skip("there is no container toolkit")
    if docker["daemon_json"] is None and docker["problem"]:
        return Finding(NOT_VERIFIED, docker["problem"], "", "Look at /etc/docker/daemon.json by hand.", source)
    old = numbers(read["toolkit"]) < _CDI_TOOLKIT
    legacy = read["runtime_mode"] == "legacy" or (read["runtime_mode"] in ("auto", "") and old)
    if not legacy or docker["cgroup_driver"] != "systemd" or read["device_links"]:
        return Finding(PASS, "containers keep their GPUs", "containers keep their GPUs", source=source)
    remedy = (
        "Install container toolkit 1.18 or newer with mode auto or cdi, or run nvidia-ctk system "
        "create-dev-char-symlinks --create-all at every boot."
    )
    observed = f"toolkit {read['toolkit']} in mode {read['runtime_mode'] or 'auto'} under systemd's cgroups"
    return Finding(WARN, observed, "containers keep their GPUs at a daemon-reload", remedy, source)


def confidential_computing(node: Node) -> Judged:
    source = "nvmlSystemGetConfComputeState, nvmlSystemGetConfComputeGpusReadyState"
    feature, wished = node.system("conf_compute", "feature"), node.profile.conf_compute
    old = node.gpus and all(
        gpu.card and gpu.card.architecture in ("volta", "turing", "ampere", "ada") for gpu in node.gpus
    )
    if is_unread(feature) and old and not wished:
        return Skip("these cards have no confidential computing")
    if is_unread(feature):
        remedy = "Look with nvidia-smi conf-compute -f."
        return Finding(NOT_VERIFIED, f"could not be read: {feature['unread']}", wished, remedy, source)
    if bool(feature) != wished:
        remedy = f"Turn confidential computing {'on' if wished else 'off'} at the host and restart."
        return Finding(FAIL, "on" if feature else "off", "on" if wished else "off", remedy, source)
    if not wished:
        return Finding(PASS, "off", "off", source=source)
    ready = node.system("conf_compute_ready")
    if is_unread(ready):
        return Finding(
            NOT_VERIFIED, "on; readiness could not be read", "on, ready", "nvidia-smi conf-compute -grs", source
        )
    remedy = "Attest the GPUs, then nvidia-smi conf-compute -srs 1."
    return Finding(PASS if ready else FAIL, "on, ready" if ready else "on, not ready", "on, ready", remedy, source)


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "GPUDirect RDMA": gdr_path,
    "GPUs in containers": container_gpus,
    "containers at a daemon-reload": container_reload,
    "confidential computing": confidential_computing,
}
