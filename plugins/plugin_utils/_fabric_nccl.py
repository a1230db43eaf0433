# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The all-reduce over several nodes: who takes part, the command of each one, and one measurement from all their answers.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import statistics
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _docker_run, _fabric_ends, _nccl_transport
from ansible_collections.gpufleet.inference.plugins.plugin_utils._burn_in import INSIDE
from ansible_collections.gpufleet.inference.plugins.plugin_utils._fabric_pairs import NO_ADDRESS

Measurement = dict[str, t.Any]
End = t.Mapping[str, t.Any]
Wishes = t.Mapping[str, t.Any]

CONTAINER = "gpufleet-burn-in-fabric"
SCRIPT = "fabric_burn_in.py"

#: A ring crosses the network evenly; on two nodes, trees and NVLSTree look faster than the wire (nccl-tests issue 196).
ALGORITHM = "Ring"

#: The script ends by itself; this is for starting a container from a cold disk, and for one that hangs in the driver.
GRACE_SECONDS = 120


def group(ends: t.Mapping[str, End]) -> dict[str, t.Any]:
    """Return who takes part, in the order of ranks, each with what its part needs, or a ``problem``.

    {members, nodes, gpus {node: count}, interfaces {node: name}, chosen {node: HCAs}, address (of the first), nics (the least number
    of HCAs of a node), nic_gbps (their least rate, None when one is unknown), problem}. ``ends``: an empty one has left the run.
    """
    unable = {name: end["why_no_gpus"] if end else "it has left the run" for name, end in ends.items()}
    able = [name for name, why in unable.items() if not why]
    live = {name: _fabric_ends.live(ends[name]) for name in able}
    rates = [hca["gbps"] for hcas in live.values() for hca in hcas]
    problem = ""
    if len(able) < 2:
        told = "; ".join(f"{name}: {why}" for name, why in unable.items() if why)
        problem = f"fewer than two nodes can take part{f' ({told})' if told else ''}"
    elif not ends[able[0]]["address"]:
        problem = NO_ADDRESS.format(able[0])
    return {
        "members": list(ends),
        "nodes": able,
        "gpus": {name: ends[name]["gpus"] for name in able},
        "address": ends[able[0]]["address"] if able else "",
        "interfaces": {name: ends[name]["interface"] for name in able},
        "chosen": {name: [hca["name"] for hca in hcas] for name, hcas in live.items()},
        "nics": min((len(hcas) for hcas in live.values()), default=0),
        "nic_gbps": None if None in rates else min(rates, default=None),
        "problem": problem,
    }


def command(run: t.Mapping[str, t.Any], node: str, wishes: Wishes) -> dict[str, t.Any]:
    """Return {argv, container, seconds}, as the module gpu_speed takes them; argv is [] for a node that takes no part.

    ``wishes``: variables of the role burn_in without their prefix: port, bytes [sizes], samples, seconds, while_serving, directory,
    image (empty: ``python`` runs on the node itself), python, environment, gpu_access, raise_limits; and containers, what an engine's
    ranks get to use the fabric (_rdma_containers.needs, or {}).
    """
    if run["problem"] or node not in run["nodes"]:
        return {"argv": [], "container": "", "seconds": GRACE_SECONDS}
    words = ["--node", node, "--nodes", ",".join(run["nodes"])]
    words += ["--gpus", ",".join(str(run["gpus"][name]) for name in run["nodes"])]
    words += ["--address", run["address"], "--port", str(wishes["port"]), "--samples", str(wishes["samples"])]
    words += ["--bytes", ",".join(str(one) for one in wishes["bytes"]), "--seconds", str(wishes["seconds"])]
    words += ["--busy"] if wishes["while_serving"] else []
    fabric = wishes["containers"]
    environment = {name: value for name, (value, _why) in fabric.get("environment", {}).items()}
    if run["interfaces"][node]:
        # As the engines' ranks have it.
        environment["NCCL_SOCKET_IFNAME"] = f"={run['interfaces'][node]}"
    environment |= {**wishes["environment"], "NCCL_ALGO": ALGORITHM}
    bound = {"seconds": wishes["seconds"] + GRACE_SECONDS}
    if wishes["python"]:
        settings = [f"{name}={value}" for name, value in sorted(environment.items())]
        argv = ["env", *settings, wishes["python"], f"{wishes['directory']}/{SCRIPT}", *words]
        return {"argv": argv, "container": "", **bound}
    container = {
        "image": wishes["image"],
        "argv": [f"{INSIDE}/{SCRIPT}", *words],
        "env": environment,
        "mounts": [*fabric.get("mounts", []), f"{wishes['directory']}:{INSIDE}:ro"],
        "devices": fabric.get("devices", []),
        "gpus": wishes["gpu_access"],
        "raise_limits": wishes["raise_limits"],
    }
    own = ["docker", "run", "--rm", "--pull", "never", "--name", CONTAINER, "--entrypoint", "python3"]
    return {"argv": own + _docker_run.arguments(container), "container": CONTAINER, **bound}


def answer(run: t.Mapping[str, t.Any] | None, node: str) -> dict[str, t.Any] | None:
    """Return {series, wrong, log, fault, tool, seconds, problem} from what gpu_speed returned on a node; None when it gave nothing."""
    if not run:
        return None
    one: Measurement = next(iter(run["measurements"]), {})
    said = one.get("parameters", {})
    found = {key: one.get(key) for key in ("series", "tool", "seconds", "problem")}
    if one.get("kind") != "nccl_all_reduce" and not found["problem"]:
        found["problem"] = f"{node} printed no measurement"
    told = {"wrong": said.get("wrong"), "log": said.get("log") or "", "fault": bool(said.get("fault"))}
    return {**found, "series": found["series"] or [], **told}


def measurements(
    run: t.Mapping[str, t.Any],
    answers: t.Mapping[str, t.Mapping[str, t.Any]],
    image: str = "",
    gdr: bool = False,
) -> list[Measurement]:
    """Return nccl_all_reduce of all nodes, and nccl_transport of each one.

    ``run``: of :func:`group`. ``answers``: {node: answer}; a node without one has left the run. ``image``: where it ran.
    ``gdr``: whether GPUDirect RDMA is expected.
    """
    if run["problem"]:
        return [_all_reduce(run, {}, problem=run["problem"])] if len(run["members"]) > 1 else []
    names, ranks = list(run["nodes"]), sum(run["gpus"].values())
    problems = [_said(name, answers.get(name)) for name in names]
    wrong = sum(int(answers[name]["wrong"] or 0) for name in names if name in answers)
    rates = {} if any(problems) else _rates([answers[name]["series"] for name in names], ranks)
    if wrong:
        problems.append(f"{wrong} words of an exact sum were wrong")
    if not rates and not any(problems):
        problems.append("no size was measured on all nodes")
    # A sum that is wrong, or a card or NCCL that failed in it, is no lack of figures.
    fault = bool(wrong) or any(answers[name].get("fault") for name in names if name in answers)
    tools = sorted({str(one.get("tool") or "") for one in answers.values()} - {""})
    found = _all_reduce(
        run,
        {} if wrong else rates,
        fault,
        problem="; ".join(problem for problem in problems if problem),
        tool=", ".join(tools) + (f" in {image}" if image else ""),
        seconds=max([one["seconds"] or 0.0 for one in answers.values()], default=0.0),
    )
    known = {key: found["parameters"][key] for key in ("gpus", "nodes", "nics", "nic_gbps", "algorithm")}
    paths = [
        _transport(name, answers.get(name), {**known, "chosen": run["chosen"][name], "gdr": gdr}) for name in names
    ]
    return [found, *paths]


def _all_reduce(
    run: t.Mapping[str, t.Any], rates: t.Mapping[int, t.Sequence[float]], fault: bool = False, **other: t.Any
) -> Measurement:
    ranks, largest = sum(run["gpus"].values()), max(rates, default=None)
    samples = [_rounded(one) for one in rates[largest]] if largest else []
    return {
        "node": (run["nodes"] or run["members"])[0],
        "peer": "",
        "kind": "nccl_all_reduce",
        "subject": f"{ranks} GPUs",
        "value": statistics.median(samples) if samples else None,
        "unit": "GB/s",
        "parameters": {
            "gpus": ranks,
            "nodes": len(run["nodes"]),
            "nics": run["nics"],
            "nic_gbps": run["nic_gbps"],
            "algorithm": ALGORITHM,
            "nvls": False,
            "dtype": "fp32",
            "bytes": largest,
            **({"fault": True} if fault else {}),
        },
        "series": [[size, _rounded(statistics.median(one))] for size, one in rates.items()],
        "samples": samples,
        "tool": "",
        "command": f"NCCL_ALGO={ALGORITHM} {SCRIPT} --nodes {','.join(run['nodes'])}",
        "seconds": 0.0,
        **other,
    }


def _said(name: str, given: t.Mapping[str, t.Any] | None) -> str:
    if given is None:
        return f"{name} gave no answer: it is out of reach or has left the run"
    problem = str(given["problem"])
    return f"{name}: {problem}" if problem and name not in problem else problem


def _transport(name: str, given: t.Mapping[str, t.Any] | None, known: t.Mapping[str, t.Any]) -> Measurement:
    found = _nccl_transport.measurement(name, given["log"] if given else "", known)
    said = _said(name, given)
    return {**found, "problem": said} if found["value"] is None and said else found


def _rates(every: t.Sequence[t.Sequence[t.Any]], ranks: int) -> dict[int, list[float]]:
    """Return {bytes: bus bandwidth in GB/s of each sample}, 2(n-1)/n as in nccl-tests; of a sample the slowest node counts."""
    times = [{int(size): seconds for size, seconds in series} for series in every]
    common = sorted(set.intersection(*(set(one) for one in times)))
    slowest = {size: [max(one) for one in zip(*(node[size] for node in times), strict=False)] for size in common}
    return {
        size: [size / seconds / 1e9 * 2 * (ranks - 1) / ranks for seconds in samples]
        for size, samples in slowest.items()
    }


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
