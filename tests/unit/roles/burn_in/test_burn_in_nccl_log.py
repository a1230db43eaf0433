# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NCCL's account of what it chose."""

from __future__ import annotations

import burn_in_nccl_log as nccl_log
import pytest

#: The form of NCCL 2.28 (enqueue.cc, INFO NCCL_TUNING, rank 0), and of transport/p2p.cc.
LOG = """\
n1:77:77 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM
n1:77:77 [0] NCCL INFO Channel 01/0 : 1[1] -> 0[0] [send] via NET/IB/3/GDRDMA
n1:77:77 [0] NCCL INFO AllReduce: 8388608 Bytes -> Algo RING proto LL128 channel{Lo..Hi}={0..15}
n1:77:77 [0] NCCL INFO AllReduce: 8589934592 Bytes -> Algo NVLS_TREE proto SIMPLE channel{Lo..Hi}={0..23}
n1:77:77 [0] NCCL INFO AllReduce: 8589934592 Bytes -> Algo NVLS proto SIMPLE channel{Lo..Hi}={0..23}
n1:77:77 [0] NCCL INFO ReduceScatter: 4096 Bytes -> Algo RING proto LL channel{Lo..Hi}={0..0}
"""


def test_the_algorithm_of_each_size_is_the_last_that_was_said() -> None:
    assert nccl_log.algorithms(LOG) == {8388608: "Ring", 8589934592: "NVLS"}


@pytest.mark.parametrize(
    ("word", "name"), [("1", "Ring"), ("4", "NVLS"), ("9", "9"), ("COLLNET_CHAIN", "CollNetChain")]
)
def test_older_releases_log_numbers(word: str, name: str) -> None:
    assert nccl_log.algorithms(f"n1:1:1 [0] NCCL INFO 1024 Bytes -> Algo {word} proto 2 time 12.3") == {1024: name}


def test_transports_without_the_numbers_of_devices() -> None:
    assert nccl_log.transports(LOG) == ["NET/IB/GDRDMA", "P2P/CUMEM"]


def test_a_log_that_says_nothing() -> None:
    assert nccl_log.algorithms("") == {} and nccl_log.transports("") == []
