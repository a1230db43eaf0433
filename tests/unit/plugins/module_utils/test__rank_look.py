# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of a rank: Docker's state, the unit's words, the kernel's lines of this start, what is full."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_logs, _docker_socket, _rank_look
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome

STATE = {
    "Running": False,
    "ExitCode": 137,
    "OOMKilled": True,
    "Error": "",
    "StartedAt": "2026-11-22T04:10:00.5Z",
    "FinishedAt": "2026-11-22T04:14:02.5Z",
}

DMESG = """\
2026-11-22T04:09:59,000001+00:00 NVRM: Xid (PCI:0000:1b:00): 79, an older start
2026-11-22T04:14:01,221345+00:00 Out of memory: Killed process 9911 (VLLM::Worker_TP)
2026-11-22T05:14:01,500000+01:00 NVRM: Xid (PCI:0000:9d:00): 94, in another time zone
2026-11-22T04:14:02,000001+00:00 docker0: port 1(veth) entered disabled state
no time NVRM: a line without one
"""
RELEVANT = """\
2026-11-22T04:14:01.221345Z Out of memory: Killed process 9911 (VLLM::Worker_TP)
2026-11-22T04:14:01.500000Z NVRM: Xid (PCI:0000:9d:00): 94, in another time zone
no time NVRM: a line without one"""


def test_the_kernels_lines_are_those_of_this_start_in_dockers_time() -> None:
    assert _rank_look.relevant(DMESG, STATE["StartedAt"]) == RELEVANT  # type: ignore[arg-type]
    assert len(_rank_look.relevant(DMESG, "").splitlines()) == 4


def test_the_state_of_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_docker_socket, "get", lambda path: (200, {"State": STATE}))
    state, problem = _rank_look.container("rank0")
    assert state == {
        "running": False,
        "exit_code": 137,
        "oom_killed": True,
        "error": "",
        "started_at": STATE["StartedAt"],
        "finished_at": STATE["FinishedAt"],
    }
    assert problem == ""


@pytest.mark.parametrize(("status", "problem"), [(404, ""), (500, "Docker answered 500 for rank0")])
def test_no_state(monkeypatch: pytest.MonkeyPatch, status: int, problem: str) -> None:
    monkeypatch.setattr(_docker_socket, "get", lambda path: (status, {}))
    assert _rank_look.container("rank0") == (None, problem)


def test_facts(tmp_path: pathlib.Path) -> None:
    (tmp_path / "dev/shm").mkdir(parents=True)
    found = _rank_look.facts(str(tmp_path))
    assert found["shm_free_bytes"] > 0
    assert list(found["disk_free_bytes"]) == ["/"]
    assert found["rdma"] is False
    (tmp_path / "sys/class/infiniband/mlx5_0").mkdir(parents=True)
    assert _rank_look.facts(str(tmp_path))["rdma"] is True
    assert _rank_look.facts(str(tmp_path / "absent"))["shm_free_bytes"] is None


def answers(outcomes: dict[str, Outcome]) -> t.Callable[..., Outcome]:
    return lambda argv: outcomes[argv[0]]


def test_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_docker_socket, "get", lambda path: (200, {"State": STATE}))
    monkeypatch.setattr(_docker_logs, "read", lambda name: (f"log of {name}", ""))
    told = {"systemctl": Outcome(0, "failed: x\n", "", ""), "dmesg": Outcome(0, DMESG, "", "")}
    monkeypatch.setattr(_rank_look, "bounded", answers(told))
    rank, problems = _rank_look.rank(1, "vllm", "rank1", "one.service")
    assert problems == []
    assert (rank["rank"], rank["engine"], rank["log"], rank["status"]) == (1, "vllm", "log of rank1", "failed: x")
    assert rank["kernel"] == RELEVANT


ENDED = {**STATE, "Running": False, "ExitCode": 1}


@pytest.mark.parametrize(
    ("status", "now", "before", "log", "code"),
    [
        ("loading: x", {**STATE, "Running": True}, ENDED, "log of rank1-before|log of rank1|", 1),
        ("waiting: x", None, ENDED, "log of rank1-before|", 1),
        ("waiting: x", {**ENDED, "ExitCode": 3}, ENDED, "log of rank1|", 3),
        ("ready after 9 s", {**STATE, "Running": True, "ExitCode": 0}, ENDED, "log of rank1|", 0),
        ("loading: x", {**STATE, "Running": True, "ExitCode": 0}, None, "log of rank1|", 0),
    ],
)
def test_the_start_that_failed_may_be_the_one_before(
    monkeypatch: pytest.MonkeyPatch, status: str, now: t.Any, before: t.Any, log: str, code: int
) -> None:
    there = {"/containers/rank1/json": now, "/containers/rank1-before/json": before}
    monkeypatch.setattr(
        _docker_socket, "get", lambda path: (200, {"State": there[path]}) if there[path] else (404, "none")
    )
    monkeypatch.setattr(_docker_logs, "read", lambda name: (f"log of {name}|", ""))
    told = {"systemctl": Outcome(0, status, "", ""), "dmesg": Outcome(0, "", "", "")}
    monkeypatch.setattr(_rank_look, "bounded", answers(told))
    rank, problems = _rank_look.rank(1, "vllm", "rank1", "one.service")
    assert (rank["log"], rank["state"]["exit_code"], problems) == (log, code, [])


def test_what_cannot_be_looked_at_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(path: str) -> t.NoReturn:
        raise _docker_socket.DockerUnreachableError("nobody listens")

    monkeypatch.setattr(_docker_socket, "get", get)
    told = {"systemctl": Outcome(1, "", "", "no systemd"), "dmesg": Outcome(1, "", "", "not permitted")}
    monkeypatch.setattr(_rank_look, "bounded", answers(told))
    rank, problems = _rank_look.rank(1, "vllm", "rank1", "one.service")
    assert problems == ["nobody listens", "no systemd", "not permitted"]
    assert (rank["state"], rank["log"], rank["kernel"]) == (None, "", "")
