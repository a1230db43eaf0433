# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Made-up runs of a burn-in, in the form that roles/burn_in/files and rdma_speed give. No figure of them was measured."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance

MIB, GIB = 1 << 20, 1 << 30

Measurement = dict[str, t.Any]
Run = dict[str, t.Any]

H20 = {"gpu": "NVIDIA H20", "gpus": 8, "driver": "580.126.20", "nics": 4, "nic_gbps": 400}

#: A floor per kind, as a stand-in for the thresholds.
FLOORS = {"gemm": 128.0, "hbm_copy": 3000.0, "h2d": 48.0, "d2h": 45.0, "p2p": 335.0, "rdma_write_bw": 360.0}
FLOORS |= {"nccl_all_reduce": 170.0, "rdma_write_lat": 5.0, "temperature": 85.0}


def measurement(node: str, kind: str, subject: str, value: float | None, unit: str, **other: t.Any) -> Measurement:
    """Return a measurement of contract 3; ``other`` replaces or adds fields, ``parameters`` among them."""
    return {
        "node": node,
        "peer": "",
        "kind": kind,
        "subject": subject,
        "value": value,
        "unit": unit,
        "parameters": {},
        "series": [],
        "samples": [value] if value is not None else [],
        "tool": "torch 2.11.0+cu130 in vllm/vllm-openai:v0.26.0",
        "command": "gpu_burn_in.py --tier standard",
        "seconds": 2.5,
        "problem": "" if value is not None else "left out: the 60 s of this tier were spent",
        **other,
    }


def wobble(place: int, middle: float, share: float = 0.004) -> float:
    """Return a value near ``middle`` that is the same in every run."""
    return round(middle * (1 + share * ((place * 7919) % 11 - 5) / 5), 2)


def node(name: str, seed: int = 0, gpus: int = 8) -> list[Measurement]:
    """Return what a healthy H20 node gives."""
    found = []
    for gpu in range(gpus):
        place, subject = seed + gpu, f"gpu {gpu}"
        for dtype, middle in (("bf16", 141.0), ("fp8", 279.0)):
            said = {"dtype": dtype, "size": 8192, "load": "burst", "layout": "nt"}
            found.append(measurement(name, "gemm", subject, wobble(place, middle), "TFLOP/s", parameters=said))
        found.append(measurement(name, "hbm_copy", subject, wobble(place, 3421), "GB/s", parameters={"bytes": 4 * GIB}))
        for kind, middle in (("h2d", 55.3), ("d2h", 53.9)):
            said = {"bytes": 512 * MIB, "pinned": True, "together": 1}
            found.append(measurement(name, kind, subject, wobble(place, middle), "GB/s", parameters=said))
        top = 58 + (gpu * 5) % 9
        found.append(
            measurement(
                name,
                "temperature",
                subject,
                float(top),
                "degC",
                parameters={"statistic": "highest"},
                series=[[at, float(top - 22 + 22 * min(at, 8) / 8)] for at in range(0, 13, 2)],
                samples=[],
                tool="nvidia-ml-py",
            )
        )
        said = {"reasons": {"sw_power_cap": 0.12}}
        found.append(measurement(name, "clock_throttle", subject, 0.0, "", parameters=said, tool="nvidia-ml-py"))
        found.append(measurement(name, "wrong_result", subject, 0.0, "", parameters={"of": "the same product again"}))
    for place, (source, target) in enumerate(itertools.permutations(range(gpus), 2)):
        subject = f"gpu {source} -> gpu {target}"
        found.append(
            measurement(name, "p2p", subject, wobble(place, 391), "GB/s", parameters={"bytes": GIB, "direct": True})
        )
    said = {"dtype": "fp32", "gpus": gpus, "nodes": 1, "bytes": 8 * GIB, "algorithm": "NVLS", "nvls": True}
    found.append(curve(name, "all_reduce", f"{gpus} GPUs", 466.0, said))
    return found


def curve(name: str, kind: str, subject: str, top: float, said: dict[str, t.Any], half: int = 48 * MIB) -> Measurement:
    """Return an all-reduce over message sizes up to 8 GiB that comes near ``top``."""
    series = [[size, round(top * size / (size + half), 1)] for size in (MIB << place for place in range(14))]
    return measurement(name, kind, subject, series[-1][1], "GB/s", parameters=said, series=series, command="")


def fabric(names: t.Sequence[str], gpus: int = 8, nics: int = 4) -> list[Measurement]:
    """Return what a healthy fabric gives: bandwidth and latency of each pair and rail, and NCCL over all nodes."""
    found = []
    for place, (client, server) in enumerate(itertools.permutations(names, 2)):
        for rail in range(nics):
            ends = {"peer": server, "tool": "ib_write_bw 6.06", "command": f"ib_write_bw -d mlx5_{rail} --report_gbits"}
            subject = f"mlx5_{rail} -> mlx5_{rail}"
            bandwidth, latency = wobble(place + rail, 391.5), wobble(place + rail, 2.1, 0.05)
            said = {"bytes": 8 * MIB, "nics": 1, "nic_gbps": 400}
            found.append(measurement(client, "rdma_write_bw", subject, bandwidth, "Gb/s", parameters=said, **ends))
            ends["tool"], said = "ib_write_lat 6.06", said | {"bytes": 8}
            found.append(measurement(client, "rdma_write_lat", subject, latency, "us", parameters=said, **ends))
    many = len(names) * gpus
    wide = {"gpus": many, "nodes": len(names), "nics": nics, "nic_gbps": 400, "bytes": 8 * GIB}
    for algorithm, top in (("Ring", 191.0), ("Tree", 168.0)):
        ring = {**wide, "algorithm": algorithm, "nvls": False}
        found.append(curve(names[0], "nccl_all_reduce", f"{many} GPUs", top, ring, 90 * MIB))
    found.append(
        measurement(
            names[0], "nccl_transport", f"{many} GPUs", None, "", problem="", parameters={"transport": "NET/IB/GDRDMA"}
        )
    )
    return found


def healthy(names: t.Sequence[str] = ("gpu-a01", "gpu-a02"), started: str = "2026-11-22T09:14:03+00:00") -> Run:
    """Return a run of healthy H20 nodes with four HCAs of 400 Gb/s each."""
    measurements = [one for seed, name in enumerate(names) for one in node(name, seed * 3)]
    measurements += fabric(names) if len(names) > 1 else []
    fleet = {name: dict(H20) for name in names}
    return {"schema": 1, "tier": "standard", "started": started, "fleet": fleet, "measurements": measurements}


def bad() -> Run:
    """Return a run of three nodes with a slow card, a hot one, a bad link, a lame HCA, and a node that gave nothing."""
    run = healthy(("gpu-a01", "gpu-a02", "gpu-a03"), "2026-11-22T15:40:11+00:00")
    run["fleet"]["gpu-a04"] = {**H20, "problem": "unreachable: no route to host within 20 s"}
    run["fleet"]["gpu-a02"]["driver"] = "580.159.04"
    for one in run["measurements"]:
        here = (one["node"], one["kind"], one["subject"])
        if here == ("gpu-a02", "gemm", "gpu 5"):
            one["value"] = round(one["value"] * 0.81, 1)
        elif here == ("gpu-a02", "temperature", "gpu 5"):
            one["value"], one["series"] = 91.0, [[at, 60.0 + 31 * min(at, 8) / 8] for at in range(0, 13, 2)]
        elif here == ("gpu-a02", "clock_throttle", "gpu 5"):
            one["value"], one["parameters"] = 0.62, {"reasons": {"hw_thermal": 0.62}}
        elif here == ("gpu-a03", "wrong_result", "gpu 1"):
            one["value"] = 3.0
        elif one["kind"] == "p2p" and one["node"] == "gpu-a01" and "gpu 3" in one["subject"]:
            one["value"] = round(one["value"] * 0.52, 1)
        elif one["kind"].startswith("rdma") and "mlx5_2" in one["subject"] and "gpu-a03" in (one["node"], one["peer"]):
            one["value"] = 196.2 if one["kind"] == "rdma_write_bw" else 9.7
        elif here == ("gpu-a01", "h2d", "gpu 7"):
            one |= {"value": None, "samples": [], "problem": "the card gave no answer within 60 s"}
    return run


def limit(one: Measurement, fleet: t.Any, baseline: t.Any) -> float | None:
    """Stand in for the thresholds: a floor per kind; fp8, trees and the all-reduce of a node have none."""
    said = one["parameters"]
    if said.get("dtype") == "fp8" or said.get("algorithm") == "Tree":
        return None
    return FLOORS.get(one["kind"])


def judge(one: Measurement, fleet: t.Any, baseline: t.Any) -> dict[str, t.Any]:
    """Stand in for the judge of the thresholds, with the same form of answers."""
    floor, lower = limit(one, fleet, baseline), one["kind"] in ("rdma_write_lat", "temperature")
    verdict, observed, remedy = "not_verified", one["problem"] or "nobody has published a figure", "Capture a baseline."
    if one["kind"] == "nccl_transport":
        verdict, observed = "pass", "NET/IB with GDRDMA on 4 HCAs"
    elif one["value"] is not None:
        observed = f"{one['value']} {one['unit']}".strip()
        if one["kind"] in ("wrong_result", "clock_throttle"):
            verdict, remedy = ("fail" if one["value"] else "pass"), f"Take {one['node']} out and have it repaired."
        elif floor is not None:
            fine = one["value"] <= floor if lower else one["value"] >= floor
            verdict, remedy = ("pass" if fine else "fail"), "Look at temperature, power and clocks."
    return {
        "name": f"{one['kind']} of {one['subject']}",
        "verdict": verdict,
        "observed": observed,
        "expected": f"{'at most' if lower else 'at least'} {floor} {one['unit']}" if floor else None,
        "remedy": "" if verdict == "pass" else remedy,
        "source": "a stand-in for thresholds",
    }


def document(run: Run, previous: t.Mapping[str, t.Any] | None = None, **other: t.Any) -> dict[str, t.Any]:
    """Return the judged document of a run, by the stand-ins for judge and limit."""
    return _acceptance.build(run, judge, limit, previous=previous, **other)
