# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove from NCCL's own words that ranks on several nodes spoke over the chosen HCAs, and with GPUDirect.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _nccl_log

Measurement = dict[str, t.Any]

REMEDIES = {
    "socket": (
        "NCCL speaks TCP although HCAs were chosen. Give the container /dev/infiniband/uverbs* and rdma_cm, IPC_LOCK and memlock "
        "unlimited, an image with libibverbs and the HCA's provider, and names in NCCL_IB_HCA that the node has."
    ),
    "gdr": (
        "Data goes through the host's memory. Use the open kernel modules (dma-buf) or load nvidia_peermem, keep HCA and GPU under "
        "one PCIe switch, ACS off on bare metal, and NCCL_NET_GDR_LEVEL unset or at least PXB."
    ),
    "fewer": (
        "Chosen HCAs carry no channel. Look at their port state (rdma_health) and at NCCL's topology: a GPU drives the HCAs near it "
        "only, so fewer GPUs than HCAs cannot use all."
    ),
    "other": "NCCL used HCAs that were not chosen: NCCL_IB_HCA must be set, and begin with = (without it names are prefixes).",
    "none": "The log holds no channel between nodes: NCCL_DEBUG=INFO must reach the ranks, and they must be on different nodes.",
}


def measurement(node: str, log: str, parameters: t.Mapping[str, t.Any], **other: t.Any) -> Measurement:
    """Return the measurement nccl_transport of one node from the logs of its ranks.

    ``value`` is the share of ends of channels between nodes that use GPUDirect over RDMA, None when there is no such channel.
    ``parameters`` may have ``chosen``, the HCAs that the plan chose for this node, and ``gdr``, whether the profile wants
    GPUDirect RDMA. It gets ``transports`` {name: ends}, ``hcas`` (that carry channels), ``local`` {transport within the node:
    ends}, ``nccl`` (version), ``no_device`` and ``warnings``.
    """
    read = _nccl_log.parse(log)
    ends = [(key, count) for host in read["hosts"].values() for key, count in host["channels"].items()]
    between = [(key, count) for key, count in ends if key[1] >= 0]
    total = sum(count for _key, count in between)
    direct = sum(count for (name, _device, gdr), count in between if gdr and _nccl_log.is_rdma(name))
    hcas = sorted(
        {
            hca
            for host in read["hosts"].values()
            for name, device, _gdr in host["channels"]
            if device >= 0 and _nccl_log.is_rdma(name)
            for hca in host["hcas"].get(device, [f"device {device}"])
        }
    )
    return {
        "node": node,
        "peer": "",
        "kind": "nccl_transport",
        "subject": f"{parameters.get('gpus', 0)} GPUs",
        "value": round(direct / total, 3) if total else None,
        "unit": "",
        "parameters": {
            **parameters,
            "transports": _sums((name, count) for (name, _device, _gdr), count in between),
            "local": _sums((name, count) for (name, device, _gdr), count in ends if device < 0),
            "hcas": hcas,
            "nccl": read["version"],
            "no_device": any(host["no_device"] for host in read["hosts"].values()),
            "warnings": read["warnings"][:5],
        },
        "series": [],
        "samples": [],
        "tool": f"NCCL {read['version']}".strip(),
        "command": "",
        "seconds": 0.0,
        "problem": "" if total else "NCCL's log holds no channel between nodes",
        **other,
    }


def _sums(pairs: t.Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, count in pairs:
        found[name] = found.get(name, 0) + count
    return found


def judge(one: Measurement) -> dict[str, t.Any]:
    """Return the check of such a measurement, as _verdict.check. Where no HCA was chosen any transport passes, and is told."""
    said = one["parameters"]
    chosen, gdr = list(said.get("chosen") or ()), bool(said.get("gdr"))
    name = f"NCCL between nodes, {one['node']}"
    expected = f"RDMA over {', '.join(chosen)}{' with GPUDirect' if gdr else ''}" if chosen else None
    if one["value"] is None:
        remedy = REMEDIES["none"]
        return _check(name, "not_verified", one["problem"], expected, remedy)
    observed = ", ".join(f"{transport} × {count}" for transport, count in said["transports"].items())
    observed += f" over {', '.join(said['hcas'])}" if said["hcas"] else ""
    observed += f", {one['value']:.0%} with GPUDirect" if said["hcas"] else ""
    if not chosen:
        return _check(name, "pass", observed, None, "")
    if any(not _nccl_log.is_rdma(transport) for transport in said["transports"]):
        why = "; NET/IB found no device" if said["no_device"] else ""
        return _check(name, "fail", observed + why, expected, REMEDIES["socket"])
    # A device of NVIDIA's plugin may be called after the data path that it takes, mlx5_0_dma.
    used = {hca.removesuffix("_dma") for hca in said["hcas"]}
    if used - set(chosen):
        return _check(name, "fail", observed, expected, REMEDIES["other"])
    if gdr and one["value"] < 1:
        return _check(name, "fail", observed, expected, REMEDIES["gdr"])
    if set(chosen) - used:
        unused = ", ".join(sorted(set(chosen) - used))
        return _check(name, "fail", f"{observed}; nothing over {unused}", expected, REMEDIES["fewer"])
    return _check(name, "pass", observed, expected, "")


def _check(name: str, verdict: str, observed: str, expected: str | None, remedy: str) -> dict[str, t.Any]:
    return {
        "name": name,
        "verdict": verdict,
        "observed": observed,
        "expected": expected,
        "remedy": remedy,
        "source": "NCCL_DEBUG=INFO",
    }
