# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The all-reduce over several nodes: who takes part, with which command, and what their answers come to."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_thresholds, _fabric_nccl

GIB = 1 << 30


def end(number: int = 1, hcas: t.Sequence[float | None] = (400.0, 400.0), **other: t.Any) -> dict[str, t.Any]:
    own = [{"name": f"mlx5_{at}", "gbps": rate, "trouble": ""} for at, rate in enumerate(hcas)]
    common = {"hcas": own, "problem": "", "gpus": 8, "why_no_gpus": "", "interface": "bond0"}
    return {**common, "address": f"10.0.0.{number}", **other}


def group(**other: t.Any) -> dict[str, t.Any]:
    return {**_fabric_nccl.group({"n1": end(1), "n2": end(2)}), **other}


WISHES: dict[str, t.Any] = {
    "port": 29511,
    "bytes": [8388608, 8 * GIB],
    "samples": 5,
    "seconds": 180,
    "while_serving": False,
    "directory": "/opt/b",
    "image": "engine:1",
    "python": "",
    "environment": {},
    "containers": {},
    "gpu_access": "cdi",
    "raise_limits": True,
}


def test_all_take_part() -> None:
    assert group() == {
        "members": ["n1", "n2"],
        "nodes": ["n1", "n2"],
        "gpus": {"n1": 8, "n2": 8},
        "address": "10.0.0.1",
        "problem": "",
        "interfaces": {"n1": "bond0", "n2": "bond0"},
        "nics": 2,
        "nic_gbps": 400.0,
        "chosen": {"n1": ["mlx5_0", "mlx5_1"], "n2": ["mlx5_0", "mlx5_1"]},
    }


@pytest.mark.parametrize(
    ("ends", "problem"),
    [
        ({"n1": end()}, "fewer than two nodes can take part"),
        ({}, "fewer than two nodes can take part"),
        (
            {"n1": end(), "n2": end(why_no_gpus="no image"), "n3": {}},
            "fewer than two nodes can take part (n2: no image; n3: it has left the run)",
        ),
        ({"n1": end(address=""), "n2": end()}, "n1 has no IPv4 address on the interface of its default route"),
    ],
)
def test_who_cannot(ends: dict[str, t.Any], problem: str) -> None:
    assert _fabric_nccl.group(ends)["problem"].startswith(problem)


@pytest.mark.parametrize(
    ("hcas", "nics", "rate"),
    [((400.0, 200.0), 2, 200.0), ((400.0, None), 2, None), ((), 0, 400.0)],
)
def test_the_poorest_node_tells_what_the_fabric_can(
    hcas: tuple[float | None, ...], nics: int, rate: float | None
) -> None:
    found = _fabric_nccl.group({"n1": end(), "n2": end(2, hcas)})
    assert (found["nics"], found["nic_gbps"]) == (nics, rate)


def test_a_container_has_what_the_engines_ranks_have() -> None:
    containers = {
        "environment": {"NCCL_IB_HCA": ["=mlx5_0:1,mlx5_1:1", "why"]},
        "devices": ["/dev/infiniband"],
        "mounts": ["/a:/b:ro"],
    }
    found = _fabric_nccl.command(group(), "n2", {**WISHES, "containers": containers})
    line = " ".join(found["argv"])
    assert line.startswith(
        "docker run --rm --pull never --name gpufleet-burn-in-fabric --entrypoint python3 --network host "
    )
    for words in (
        *("--cap-add IPC_LOCK", "--ulimit memlock=-1", "--device nvidia.com/gpu=all", "--device /dev/infiniband"),
        *("--volume /a:/b:ro", "--volume /opt/b:/gpufleet-burn-in:ro", "--env NCCL_IB_HCA==mlx5_0:1,mlx5_1:1"),
        *("--env NCCL_ALGO=Ring", "--env NCCL_SOCKET_IFNAME==bond0"),
    ):
        assert words in line
    assert line.endswith(
        "engine:1 /gpufleet-burn-in/fabric_burn_in.py --node n2 --nodes n1,n2 --gpus 8,8 --address 10.0.0.1 --port 29511"
        " --samples 5 --bytes 8388608,8589934592 --seconds 180"
    )
    assert (found["container"], found["seconds"]) == ("gpufleet-burn-in-fabric", 300)


def test_declared_variables_win_but_for_the_algorithm() -> None:
    wishes = {**WISHES, "environment": {"NCCL_SOCKET_IFNAME": "eth7", "NCCL_ALGO": "Tree"}}
    line = " ".join(_fabric_nccl.command(group(), "n1", wishes)["argv"])
    assert "NCCL_SOCKET_IFNAME=eth7" in line
    assert "NCCL_ALGO=Ring" in line and "Tree" not in line


def test_a_python_of_the_node_itself() -> None:
    run = group(interfaces={"n1": "", "n2": ""})
    found = _fabric_nccl.command(run, "n1", {**WISHES, "python": "/opt/torch/bin/python3", "while_serving": True})
    assert found["argv"][:4] == ["env", "NCCL_ALGO=Ring", "/opt/torch/bin/python3", "/opt/b/fabric_burn_in.py"]
    assert found["argv"][-1] == "--busy"
    assert found["container"] == ""


@pytest.mark.parametrize(("run", "node"), [(group(), "n9"), (group(problem="few"), "n1")])
def test_who_takes_no_part_runs_nothing(run: dict[str, t.Any], node: str) -> None:
    assert _fabric_nccl.command(run, node, WISHES)["argv"] == []


VIA = "h:1:2 [0] NCCL INFO NET/IB : Using [0]mlx5_0:1/IB [1]mlx5_1:1/IB [RO]; OOB bond0:10.0.0.1<0>\n" + "".join(
    f"h:1:2 [0] NCCL INFO Channel 0{at}/0 : 0[0] -> 8[0] [send] via NET/IB/{at}/GDRDMA\n" for at in (0, 1)
)


def said(*series: t.Any, **other: t.Any) -> dict[str, t.Any]:
    """What gpu_speed returns of the script's measurement."""
    one = {"kind": "nccl_all_reduce", "series": list(series), "tool": "torch 2.11.0", "seconds": 30.0, "problem": ""}
    known = {"wrong": other.pop("wrong", 0), "log": other.pop("log", VIA), "fault": other.pop("fault", False)}
    return {"measurements": [{**one, "parameters": known, **other}]}


def figures(*runs: dict[str, t.Any] | None, **other: t.Any) -> list[dict[str, t.Any]]:
    given = {f"n{number}": _fabric_nccl.answer(run, f"n{number}") for number, run in enumerate(runs, 1)}
    came = {name: one for name, one in given.items() if one is not None}
    return _fabric_nccl.measurements(group(**other), came, "engine:1", True)


def test_of_a_sample_the_slowest_node_counts() -> None:
    # 8 GiB in 0.1 s over 16 ranks: 8.59 × 10 × 30/16 = 161 GB/s.
    one, *paths = figures(
        said([GIB, [0.01, 0.01]], [8 * GIB, [0.09, 0.08]]), said([GIB, [0.01, 0.01]], [8 * GIB, [0.1, 0.1]])
    )
    assert one["samples"] == [161.06, 161.06]
    assert (one["kind"], one["value"], one["unit"], one["subject"], one["problem"]) == (
        *("nccl_all_reduce", 161.06, "GB/s", "16 GPUs"),
        "",
    )
    assert one["series"] == [[GIB, 201.33], [8 * GIB, 161.06]]
    assert (one["tool"], one["seconds"], one["node"], one["peer"]) == ("torch 2.11.0 in engine:1", 30.0, "n1", "")
    assert one["parameters"] == {
        "gpus": 16,
        "nodes": 2,
        "nics": 2,
        "nic_gbps": 400.0,
        "algorithm": "Ring",
        "nvls": False,
        "dtype": "fp32",
        "bytes": 8 * GIB,
    }
    assert [(path["node"], path["value"], path["problem"]) for path in paths] == [("n1", 1.0, ""), ("n2", 1.0, "")]
    assert paths[0]["parameters"]["chosen"] == ["mlx5_0", "mlx5_1"]


@pytest.mark.parametrize(
    ("runs", "problem"),
    [
        ((said([GIB, [0.1]]), None), "n2 gave no answer: it is out of reach or has left the run"),
        ((said([GIB, [0.1]]), said(problem="n2 has 7 cards, the plan says 8")), "n2 has 7 cards, the plan says 8"),
        ((said(problem="n2 did not come in time"), said(problem="nobody listens at 10.0.0.1:29512")),
         "n1: n2 did not come in time; n2: nobody listens at 10.0.0.1:29512"),
        # The container did not start: gpu_speed says so in a measurement of its own.
        ((said([GIB, [0.1]]), {"measurements": [{"kind": "gemm", "problem": "docker returned 125", "seconds": 0.0}]}),
         "n2: docker returned 125"),
        ((said([GIB, [0.1]]), {"measurements": [{"kind": "gemm", "problem": ""}]}), "n2 printed no measurement"),
        ((said([GIB, [0.1]]), said([2 * GIB, [0.1]])), "no size was measured on all nodes"),
        ((said([GIB, [0.1]], wrong=3), said([GIB, [0.1]])), "3 words of an exact sum were wrong"),
    ],
)  # fmt: skip
def test_without_a_figure_there_is_a_reason(runs: tuple[t.Any, ...], problem: str) -> None:
    one = figures(*runs)[0]
    assert (one["value"], one["problem"]) == (None, problem)


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ((said([GIB, [0.1]], wrong=3), said([GIB, [0.1]])), "fail"),
        ((said([GIB, [0.1]]), said(problem="NCCL error: unhandled system error", fault=True)), "fail"),
        ((said([GIB, [0.1]]), said(problem="n2 did not come in time")), "not_verified"),
    ],
)
def test_a_wrong_sum_and_a_fault_fail(runs: tuple[t.Any, ...], verdict: str) -> None:
    check = _acceptance_thresholds.judge(figures(*runs)[0], {}, {})
    assert (check["verdict"], bool(check["remedy"])) == (verdict, True)


def test_a_path_that_is_not_known_has_the_reason_of_its_node() -> None:
    found = figures(said([GIB, [0.1]]), said(problem="out of memory", log=""))
    assert [path["problem"] for path in found[1:]] == ["", "n2: out of memory"]


def test_a_failed_run_still_proves_its_paths() -> None:
    found = figures(said([GIB, [0.1]]), said(problem="it hung"))
    assert [path["value"] for path in found[1:]] == [1.0, 1.0]


@pytest.mark.parametrize(("members", "count"), [(["n1", "n2"], 1), (["n1"], 0)])
def test_a_group_that_cannot_meet(members: list[str], count: int) -> None:
    found = figures(None, None, problem="fewer than two nodes can take part", members=members, nodes=[], gpus={})
    assert len(found) == count
    if count:
        assert (found[0]["node"], found[0]["problem"]) == ("n1", "fewer than two nodes can take part")
