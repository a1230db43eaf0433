# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command lines that perftest takes, and its output. Rows and headers are those of 6.06's own format strings."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _perftest

LINE = "-" * 87
BW = """
 WARNING: BW peak won't be measured in this run.
{line}
                    RDMA_Write BW Test
 Dual-port       : OFF\t\tDevice         : mlx5_0
 Link type       : IB
{line}
 #bytes     #iterations    BW peak[Gb/sec]    BW average[Gb/sec]   MsgRate[Mpps]
 8388608    11686          0.00               392.11\t\t   0.005843
{line}
""".replace("{line}", LINE)
SLOW = BW.replace(
    " 8388608    11686          0.00               392.11", " 65536      100            0.00               0.021000"
)
LAT = """
 #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]    t_avg[usec]    t_stdev[usec]   99% percentile[usec]   {tail}
 2       1000          1.65           9.21         1.71     \t       1.80     \t0.13\t\t2.22    \t\t9.21
""".replace("{tail}", "99.9% percentile[usec]")
LAT_DURATION = """
 #bytes        #iterations       t_avg[usec]    tps average
 2             100000            1.80           555555.55
"""

WISH: dict[str, t.Any] = {
    "hca": "mlx5_0",
    "ib_port": 1,
    "port": 18515,
    "address": "10.0.0.1",
    "gid_index": None,
    "bytes": 8388608,
    "seconds": 2,
    "iterations": 1000,
    "gpu": None,
    "numa_node": 1,
}


@pytest.mark.parametrize(
    ("test", "wish", "can", "line"),
    [
        ("rdma_write_bw", {}, [], "ib_write_bw -F -d mlx5_0 -i 1 -p 18515 --report_gbits -s 8388608 -D 2 10.0.0.1"),
        (
            "rdma_write_bw",
            {"address": None},
            [],
            "ib_write_bw -F -d mlx5_0 -i 1 -p 18515 --report_gbits -s 8388608 -D 2",
        ),
        ("rdma_write_lat", {}, [], "ib_write_lat -F -d mlx5_0 -i 1 -p 18515 -s 2 -n 1000 10.0.0.1"),
        (
            "rdma_write_lat",
            {"gid_index": 0, "address": ""},
            [],
            "ib_write_lat -F -d mlx5_0 -i 1 -p 18515 -x 0 -s 2 -n 1000",
        ),
        (
            "rdma_write_lat",
            {"gpu": 3},
            ["numactl", "use_cuda"],
            "numactl --cpunodebind=1 --membind=1 ib_write_lat -F -d mlx5_0 -i 1 -p 18515 -s 2 -n 1000 --use_cuda=3 10.0.0.1",
        ),
        # Wished, but this perftest was built without it.
        ("rdma_write_lat", {"gpu": 3}, [], "ib_write_lat -F -d mlx5_0 -i 1 -p 18515 -s 2 -n 1000 10.0.0.1"),
        (
            "rdma_write_lat",
            {"numa_node": -1},
            ["numactl"],
            "ib_write_lat -F -d mlx5_0 -i 1 -p 18515 -s 2 -n 1000 10.0.0.1",
        ),
        (
            "rdma_write_lat",
            {"numa_node": None},
            ["numactl"],
            "ib_write_lat -F -d mlx5_0 -i 1 -p 18515 -s 2 -n 1000 10.0.0.1",
        ),
    ],
)
def test_words(test: str, wish: dict[str, t.Any], can: list[str], line: str) -> None:
    assert " ".join(_perftest.words(test, {**WISH, **wish}, can)) == line


@pytest.mark.parametrize(
    ("test", "output", "value"),
    [
        ("rdma_write_bw", BW, 392.11),
        ("rdma_write_bw", SLOW, 0.021),
        ("rdma_write_lat", LAT, 1.71),
        ("rdma_write_lat", LAT_DURATION, 1.80),
        # MB/s would be taken for Gb/s: the unit is part of the name.
        ("rdma_write_bw", BW.replace("Gb/sec", "MB/sec"), None),
        ("rdma_write_bw", BW.split(" 8388608")[0], None),
        ("rdma_write_bw", " 8388608    11686          0.00               392.11", None),
        ("rdma_write_bw", "", None),
    ],
)
def test_value(test: str, output: str, value: float | None) -> None:
    assert _perftest.value(test, output) == value


def test_columns() -> None:
    assert _perftest.table(LAT) == {
        "#bytes": 2.0,
        "#iterations": 1000.0,
        "t_min[usec]": 1.65,
        "t_max[usec]": 9.21,
        "t_typical[usec]": 1.71,
        "t_avg[usec]": 1.8,
        "t_stdev[usec]": 0.13,
        "99% percentile[usec]": 2.22,
        "99.9% percentile[usec]": 9.21,
    }


@pytest.mark.parametrize(("said", "version"), [("Version: 6.06\n", "6.06"), ("", "")])
def test_version(said: str, version: str) -> None:
    assert _perftest.version(said) == version


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            " Completion with error at client\n Failed status 12: wr_id 0 syndrom 0x81\n scnt=128, ccnt=0\n",
            "the other side did not acknowledge (transport retries exceeded): no path between the two ports (scnt=128, ccnt=0)",
        ),
        (
            "Couldn't allocate MR\n Failed to create MR\n",
            "memory could not be registered: raise memlock (Failed to create MR)",
        ),
        (
            "libibverbs: Warning: couldn't load driver 'x'\n Did not detect devices \n If device exists, check if driver is up\n",
            "the node has no RDMA device that user space can open (If device exists, check if driver is up)",
        ),
        ("Something new\n" + LINE + "\n", "Something new"),
        (LINE + "\n * Waiting for client to connect... *\n************\n", "it said nothing"),
        ("", "it said nothing"),
    ],
)
def test_cause(said: str, cause: str) -> None:
    assert _perftest.cause(said) == cause
