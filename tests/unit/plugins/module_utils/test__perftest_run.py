# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One side of a pair: it ends in time, with a figure or with a reason that names the pair."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _perftest_run
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome

FIGURE = (
    " #bytes     #iterations    BW peak[Gb/sec]    BW average[Gb/sec]   MsgRate[Mpps]\n 8388608 100 0.00 392.11 0.1\n"
)
MEDIAN = " #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]\n 2 1000 1.65 9.21 1.71\n"
REFUSED = Outcome(
    1, "", "Couldn't connect to 10.0.0.1:18515\nUnable to open file descriptor for socket connection", "returned 1"
)
HUNG = Outcome(None, "", "", "ib_write_bw did not answer within 17 s")

WISH: dict[str, t.Any] = {
    "side": "client",
    "node": "n2",
    "peer": "n1",
    "hca": "mlx5_0",
    "peer_hca": "mlx5_3",
    "ib_port": 1,
    "port": 18515,
    "address": "10.0.0.1",
    "gid_index": None,
    "gpu": None,
    "numa_node": None,
    "bytes": 8388608,
    "seconds": 2,
    "iterations": 1000,
    "connect_seconds": 20,
    "grace_seconds": 15,
    "tests": ["rdma_write_bw"],
}
SERVER = {**WISH, "side": "server", "node": "n1", "peer": "n2", "address": None}


class Fake(_perftest_run.Host):
    """A node whose perftest answers as told, one outcome per run; its clock moves by sleeping and by hanging only."""

    def __init__(
        self,
        *outcomes: Outcome,
        state: str | None = "4: ACTIVE",
        programs: t.Collection[str] = ("ib_write_bw", "ib_write_lat"),
    ):
        self.outcomes = list(outcomes)
        self.state = state
        self.programs = programs
        self.ran: list[tuple[list[str], float]] = []
        self.clock = 0.0

    def run(self, argv: t.Sequence[str], timeout_seconds: float) -> Outcome:
        if argv[-1] == "--version":
            return Outcome(1, "Version: 6.06\n", "", "returned 1")
        if argv[-1] == "--help":
            return Outcome(0, "  --use_cuda=<cuda device id>\n", "", "")
        self.ran.append((list(argv), timeout_seconds))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        self.clock += timeout_seconds if outcome.rc is None else 0.5
        return outcome

    def has(self, program: str) -> bool:
        return program in self.programs

    def now(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    def read(self, path: str) -> str | None:
        if path == "mlx5_0/device/local_cpulist":
            return "0-31,64-95"
        assert path == "mlx5_0/ports/1/state"
        return self.state


def one(fake: Fake, **wish: t.Any) -> dict[str, t.Any]:
    found = _perftest_run.measure({**WISH, **wish}, fake)
    assert len(found) == 1
    return found[0]


def test_a_client_has_the_figure() -> None:
    assert one(Fake(Outcome(0, FIGURE, "", ""))) == {
        "node": "n2",
        "peer": "n1",
        "kind": "rdma_write_bw",
        "subject": "mlx5_0 -> mlx5_3",
        "value": 392.11,
        "unit": "Gb/s",
        "parameters": {"bytes": 8388608, "seconds": 2, "gid_index": None, "memory": "host", "numa_node": None},
        "series": [],
        "samples": [392.11],
        "tool": "ib_write_bw 6.06",
        "seconds": 0.5,
        "problem": "",
        "command": "ib_write_bw -F -d mlx5_0 -i 1 -p 18515 --report_gbits -s 8388608 -D 2 10.0.0.1",
    }


def test_a_server_has_none_and_no_problem() -> None:
    found = one(Fake(Outcome(0, FIGURE, "", "")), **SERVER)
    assert (found["value"], found["samples"], found["problem"]) == (None, [], "")


def test_each_test_has_its_port_its_form_and_its_parameters() -> None:
    fake = Fake(Outcome(0, FIGURE, "", ""), Outcome(0, MEDIAN, "", ""))
    found = _perftest_run.measure({**WISH, "tests": ["rdma_write_bw", "rdma_write_lat"]}, fake)
    assert [(each["value"], each["unit"]) for each in found] == [(392.11, "Gb/s"), (1.71, "us")]
    assert [argv[argv.index("-p") + 1] for argv, _seconds in fake.ran] == ["18515", "18516"]
    assert found[1]["parameters"] == {
        "bytes": 2,
        "iterations": 1000,
        "gid_index": None,
        "memory": "host",
        "numa_node": None,
    }


def test_numa_and_gpu_are_told_when_they_are_used() -> None:
    every = ["ib_write_bw", "numactl"]
    found = one(Fake(Outcome(0, FIGURE, "", ""), programs=every), numa_node=1, gpu=3)
    assert (found["parameters"]["numa_node"], found["parameters"]["memory"]) == (1, "gpu 3")
    assert found["command"].startswith("numactl --cpunodebind=1 --membind=1 ib_write_bw ")


def test_a_node_without_numactl_is_pinned_by_its_cores() -> None:
    every = ["ib_write_bw", "taskset"]
    found = one(Fake(Outcome(0, FIGURE, "", ""), programs=every), numa_node=1)
    assert found["parameters"]["numa_node"] == 1
    assert found["command"].startswith("taskset --cpu-list 0-31,64-95 ib_write_bw ")
    assert one(Fake(Outcome(0, FIGURE, "", ""), programs=every))["command"].startswith("ib_write_bw ")


@pytest.mark.parametrize(
    ("fake", "problem", "link_failed"),
    [
        # A tool that is missing says nothing about the link.
        (Fake(HUNG, programs=()), "perftest is not installed on n2 (ib_write_bw is not there)", False),
        (Fake(HUNG, state=None), "n2 has no port 1 of mlx5_0", True),
        (Fake(HUNG, state="2: INIT"), "port 1 of mlx5_0 on n2 is INIT, not ACTIVE", True),
        (Fake(HUNG, state="1: DOWN"), "port 1 of mlx5_0 on n2 is DOWN, not ACTIVE", True),
    ],
)
def test_what_this_side_lacks_is_told_before_anybody_waits(fake: Fake, problem: str, link_failed: bool) -> None:
    found = one(fake)
    assert (found["problem"], found["parameters"].get("link_failed", False)) == (problem, link_failed)
    assert found["parameters"].get("down", []) == (["n2"] if link_failed else [])
    assert fake.ran == []


def test_a_client_tries_again_until_somebody_listens() -> None:
    fake = Fake(REFUSED, REFUSED, Outcome(0, FIGURE, "", ""))
    assert one(fake)["value"] == 392.11
    assert len(fake.ran) == 3


def test_a_client_gives_up_in_time() -> None:
    fake = Fake(REFUSED)
    found = one(fake)
    assert found["problem"] == "nobody listened at n1 (10.0.0.1, port 18515) for 20 s"
    assert "link_failed" not in found["parameters"]
    assert 20 <= fake.clock <= 21


def test_a_client_of_a_peer_out_of_reach_ends_in_time() -> None:
    fake = Fake(HUNG)
    assert one(fake)["problem"] == (
        "ib_write_bw did not answer within 17 s: n1 (10.0.0.1, port 18515) is out of reach, a firewall drops the port, "
        "or the transfer hangs"
    )
    assert [seconds for _argv, seconds in fake.ran] == [17]


def test_a_server_waits_for_its_client_as_long_as_that_tries() -> None:
    fake = Fake(Outcome(None, "", "", "ib_write_bw did not answer within 37 s"))
    found = one(fake, **SERVER)
    assert found["problem"] == "ib_write_bw did not answer within 37 s: n2 did not come, or the transfer hangs"
    assert [seconds for _argv, seconds in fake.ran] == [37]


@pytest.mark.parametrize("side", [WISH, SERVER])
def test_an_error_names_the_pair_and_the_cause(side: dict[str, t.Any]) -> None:
    said = " Completion with error at client\n Failed status 12: wr_id 0 syndrom 0x81\n"
    found = one(Fake(Outcome(1, FIGURE, said, "ib_write_bw returned 1")), **side)
    assert found["value"] is None
    assert found["problem"].startswith(f"mlx5_0 -> {side['peer']} mlx5_3: the other side did not acknowledge")
    assert found["parameters"]["link_failed"]


def test_an_output_without_a_figure_is_no_figure() -> None:
    found = one(Fake(Outcome(0, "no table", "", "")))
    assert (found["value"], found["problem"]) == (
        None,
        "mlx5_0 -> n1 mlx5_3: perftest ended well, but its output holds no figure",
    )


def test_after_a_failure_nothing_more_is_tried() -> None:
    fake = Fake(HUNG)
    found = _perftest_run.measure({**WISH, "tests": ["rdma_write_bw", "rdma_write_lat"]}, fake)
    assert [each["problem"][:15] for each in found] == ["ib_write_bw did", "not tried, as r"]
    assert len(fake.ran) == 1


def test_the_real_host(tmp_path: t.Any) -> None:
    host = _perftest_run.Host()
    host.root = str(tmp_path)
    (tmp_path / "state").write_text("4: ACTIVE\n")
    assert (host.read("state"), host.read("absent")) == ("4: ACTIVE", None)
    assert (host.has("sh"), host.has("no-such-program")) == (True, False)
    assert host.run(["echo", "said"], 5).stdout == "said\n"
    before = host.now()
    host.sleep(0)
    assert host.now() >= before
