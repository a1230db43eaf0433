# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From NCCL's log to the verdict: chosen HCAs are used, all of them, with GPUDirect, and nothing else is."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _nccl_transport

INFO = "gpu1:155:1240 [0] NCCL INFO "
TWO = "NET/IB : Using [0]mlx5_0:1/IB [1]mlx5_3:1/IB [RO]; OOB eth0:10.0.0.1<0>"
CHOSEN = ["mlx5_0", "mlx5_3"]


def via(*paths: str) -> list[str]:
    return [f"Channel 0{number}/0 : 0[0] -> 8[0] [send] via {path}" for number, path in enumerate(paths)]


def measured(*lines: str, **wished: t.Any) -> dict[str, t.Any]:
    text = "\n".join(INFO + line for line in ("NCCL version 2.28.9+cuda13.0", *lines))
    return _nccl_transport.measurement("n1", text, {"gpus": 16, "nodes": 2, **wished}, seconds=3.0)


def test_a_measurement_tells_the_whole_story() -> None:
    found = measured(TWO, *via("NET/IB/0/GDRDMA", "NET/IB/1", "P2P/CUMEM"))
    assert (found["kind"], found["node"], found["subject"], found["value"]) == ("nccl_transport", "n1", "16 GPUs", 0.5)
    assert (found["tool"], found["seconds"], found["problem"]) == ("NCCL 2.28.9", 3.0, "")
    assert found["parameters"] == {
        "gpus": 16,
        "nodes": 2,
        "transports": {"IB": 2},
        "local": {"P2P/CUMEM": 1},
        "hcas": CHOSEN,
        "nccl": "2.28.9",
        "no_device": False,
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("lines", "chosen", "gdr", "verdict", "observed", "remedy"),
    [
        ([TWO, *via("NET/IB/0/GDRDMA", "NET/IB/1/GDRDMA")], CHOSEN, True, "pass", "IB × 2 over mlx5_0, mlx5_3, 100% with GPUDirect", ""),
        ([TWO, *via("NET/IBext_v8/0/GDRDMA", "NET/IBext_v8/1/GDRDMA")], CHOSEN, True, "pass", "IBext_v8 × 2", ""),
        # Without the wish for GPUDirect its absence is told, no more.
        ([TWO, *via("NET/IB/0", "NET/IB/1")], CHOSEN, False, "pass", "IB × 2 over mlx5_0, mlx5_3, 0% with GPUDirect", ""),
        ([TWO, *via("NET/IB/0", "NET/IB/1/GDRDMA")], CHOSEN, True, "fail", "50% with GPUDirect", "gdr"),
        # Sockets although HCAs were chosen; /dev/infiniband is missing in the container.
        (["NET/IB : No device found.", *via("NET/Socket/0")], CHOSEN, True, "fail", "Socket × 1; NET/IB found no device", "socket"),
        ([TWO, *via("NET/IB/0/GDRDMA", "NET/IB/1/GDRDMA", "NET/Socket/0")], CHOSEN, False, "fail", "Socket × 1", "socket"),
        ([TWO, *via("NET/AWS Libfabric/0/GDRDMA")], CHOSEN, False, "fail", "AWS Libfabric × 1", "socket"),
        # One of the chosen ones is idle.
        ([TWO, *via("NET/IB/0/GDRDMA", "NET/IB/0/GDRDMA")], CHOSEN, True, "fail", "nothing over mlx5_3", "fewer"),
        # One that nobody chose, as when the = is missing.
        (["NET/IB : Using [0]mlx5_1:1/IB [1]mlx5_10:1/IB [RO]; OOB a:1<0>", *via("NET/IB/0/GDRDMA", "NET/IB/1/GDRDMA")],
         ["mlx5_1"], True, "fail", "over mlx5_1, mlx5_10", "other"),
        # A device that the log never named.
        (via("NET/IB/4/GDRDMA"), CHOSEN, True, "fail", "over device 4", "other"),
        # Two ports merged into one device carry both.
        ([TWO, "NET/IB : Made virtual device [2] name=mlx5_0+mlx5_3 speed=800000 ndevs=2", *via("NET/IB/2/GDRDMA")],
         CHOSEN, True, "pass", "over mlx5_0, mlx5_3", ""),
        (["NET/IB : Using [0]mlx5_0_dma:1/IB [RO]; OOB a:1<0>", *via("NET/IB/0/GDRDMA")], ["mlx5_0"], True, "pass", "mlx5_0_dma", ""),
        # Nobody chose any HCA: what is there is told.
        (["NET/IB : No device found.", *via("NET/Socket/0")], [], False, "pass", "Socket × 1", ""),
        # No channel between nodes at all.
        ([TWO, *via("P2P/CUMEM")], CHOSEN, True, "not_verified", "no channel between nodes", "none"),
        ([], CHOSEN, True, "not_verified", "no channel between nodes", "none"),
    ],
)  # fmt: skip
def test_verdicts(lines: list[str], chosen: list[str], gdr: bool, verdict: str, observed: str, remedy: str) -> None:
    check = _nccl_transport.judge(measured(*lines, chosen=chosen, gdr=gdr))
    assert check["verdict"] == verdict
    assert observed in check["observed"]
    assert check["remedy"] == (_nccl_transport.REMEDIES[remedy] if remedy else "")


def test_the_expectation_is_told() -> None:
    lines = (TWO, *via("NET/IB/0"))
    wanted = _nccl_transport.judge(measured(*lines, chosen=CHOSEN, gdr=True))["expected"]
    assert wanted == "RDMA over mlx5_0, mlx5_3 with GPUDirect"
    assert _nccl_transport.judge(measured(*lines))["expected"] is None
