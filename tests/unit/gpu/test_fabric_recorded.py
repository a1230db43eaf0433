# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What fabric_burn_in.py printed on two H200 of one host, 2026-11-22 (torch 2.11, NCCL 2.28.9), read by our own code.

There was no second host and no HCA: once NCCL was kept from NVLink (NCCL_P2P_DISABLE=1 NCCL_SHM_DISABLE=1), so that it took TCP.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric_nccl, _nccl_transport

RECORDED = pathlib.Path(__file__).resolve().parents[2] / "gpu" / "recorded" / "fabric"


def read(way: str, chosen: list[str]) -> list[dict[str, t.Any]]:
    answer = _fabric_nccl.answer(json.loads((RECORDED / f"h200x2_{way}.json").read_text(encoding="utf-8")), "n1")
    run = {
        "members": ["n1"],
        "nodes": ["n1"],
        "gpus": {"n1": 2},
        "chosen": {"n1": chosen},
        "nics": len(chosen),
        "nic_gbps": None,
        "problem": "",
    }
    assert answer is not None
    return _fabric_nccl.measurements(run, {"n1": answer})


@pytest.mark.parametrize(("way", "speed"), [("nvlink", 345), ("socket", 3.3)])
def test_bus_bandwidth(way: str, speed: float) -> None:
    all_reduce = read(way, [])[0]
    assert all_reduce["problem"] == ""
    assert all_reduce["value"] == pytest.approx(speed, rel=0.03)


def test_socket_where_hcas_were_chosen_fails() -> None:
    transport = read("socket", ["mlx5_0"])[1]
    check = _nccl_transport.judge(transport)
    assert check["verdict"] == "fail"
    assert "Socket" in check["observed"]
