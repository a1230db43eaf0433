# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ranks are looked at, waited for, and not waited for once they were given up."""

from __future__ import annotations

import itertools
import types
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_socket
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome
from ansible_collections.gpufleet.inference.plugins.modules import rank_health

Run = t.Callable[..., dict[str, t.Any]]

UNIT, CONTAINER = "gpufleet-ray.service", "gpufleet-ray"
RANKS = [{"unit": UNIT, "container": CONTAINER}]


def unit(status: str, **changed: str) -> str:
    """Return what `systemctl show` prints."""
    properties = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled"}
    return "".join(f"{key}={value}\n" for key, value in {**properties, "StatusText": status, **changed}.items())


READY = unit("ready after 9 s")


class Node:
    """A stand-in for systemd and Docker: unit texts in turn (the last one stays), one container, one log."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.units: list[str | None] = [READY]
        self.container: tuple[int, t.Any] | str = (200, {"State": {"Running": True}})
        self.log = ""
        self.asked: list[list[str]] = []
        self.pauses: list[float] = []
        monkeypatch.setattr(rank_health, "bounded", self.bounded)
        monkeypatch.setattr(_docker_socket, "get", self.get)
        # Each look at the clock is a second later.
        clock = types.SimpleNamespace(sleep=self.pauses.append, monotonic=itertools.count().__next__)
        monkeypatch.setattr(rank_health, "time", clock)

    def bounded(self, argv: list[str], timeout_seconds: float = 10.0) -> Outcome:
        self.asked.append(argv)
        if argv[0] == "docker":
            return Outcome(0, "", self.log, "")
        text = self.units.pop(0) if len(self.units) > 1 else self.units[0]
        return Outcome(0, text, "", "") if text is not None else Outcome(1, "", "", "systemctl returned 1")

    def get(self, path: str) -> tuple[int, t.Any]:
        assert path == f"/containers/{CONTAINER}/json"
        if isinstance(self.container, str):
            raise _docker_socket.DockerUnreachableError(self.container)
        return self.container


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    return Node(monkeypatch)


def test_a_ready_rank_passes_and_its_log_is_not_read(run_module: Run, node: Node) -> None:
    result = run_module("rank_health", check=True, ranks=RANKS, strict=True, fail_on=["warn", "fail"])
    assert not result["failed"] and not result["changed"]
    assert (result["verdict"], result["facts"]) == ("pass", {UNIT: "ready after 9 s"})
    assert [argv[0] for argv in node.asked] == ["systemctl"]
    assert node.pauses == []


@pytest.mark.parametrize(
    ("container", "verdict", "observed"),
    [
        ((404, {"message": "no such container"}), "fail", "; but its container does not run"),
        ((200, {"State": {"Running": False}}), "fail", "; but its container does not run"),
        ((500, "broken"), "not_verified", "Docker answered 500: broken"),
        ("nobody listens", "not_verified", "could not be looked at: nobody listens"),
    ],
)
def test_the_container_of_a_rank_that_says_it_is_ready(
    run_module: Run, node: Node, container: t.Any, verdict: str, observed: str
) -> None:
    node.container = container
    result = run_module("rank_health", ranks=RANKS)
    assert (result["verdict"], result["failed"]) == (verdict, verdict == "fail")
    assert observed in result["checks"][0]["observed"]


def test_systemd_that_does_not_answer_is_not_verified(run_module: Run, node: Node) -> None:
    node.units = [None]
    result = run_module("rank_health", ranks=RANKS)
    assert (result["verdict"], result["failed"], result["facts"]) == ("not_verified", False, {UNIT: ""})
    assert run_module("rank_health", ranks=RANKS, strict=True)["failed"]


def test_a_unit_that_does_not_exist_says_what_to_do(run_module: Run, node: Node) -> None:
    node.units = [unit("", LoadState="not-found")]
    node.container = (404, "")
    result = run_module("rank_health", ranks=RANKS)
    assert result["failed"]
    assert result["msg"] == f"rank {UNIT}: fail, observed there is no such unit, expected ready. run serve.yml"


def test_the_log_of_a_rank_that_is_not_ready_names_the_cause(run_module: Run, node: Node) -> None:
    node.units, node.log = [unit("loading: x")], "…\nInvalidAuthToken: no\n"
    result = run_module("rank_health", ranks=RANKS)
    assert result["failed"]
    assert "the token differs from the head's" in result["msg"]
    assert node.asked[-1] == ["docker", "logs", "--tail", "400", CONTAINER]


def test_a_supervisor_that_ends_at_once_is_not_waited_for(run_module: Run, node: Node) -> None:
    node.units = [unit("", SubState="auto-restart", ActiveState="activating", NRestarts="7")]
    result = run_module("rank_health", ranks=RANKS, wait_seconds=600)
    assert result["failed"] and node.pauses == []
    assert result["facts"] == {UNIT: "given up: the supervisor ended 7 times at once"}


@pytest.mark.parametrize(
    "properties", [{"SubState": "running", "NRestarts": "7"}, {"SubState": "auto-restart", "NRestarts": "2"}]
)
def test_one_that_may_still_come_up_is_waited_for(run_module: Run, node: Node, properties: dict[str, str]) -> None:
    node.units = [unit("", **properties), READY]
    assert run_module("rank_health", ranks=RANKS, wait_seconds=60)["verdict"] == "pass"


def test_a_rank_is_waited_for(run_module: Run, node: Node) -> None:
    node.units = [unit("waiting: x"), unit("loading: x", ActiveState="activating"), READY]
    result = run_module("rank_health", ranks=RANKS, wait_seconds=60)
    assert (result["verdict"], node.pauses) == ("pass", [2, 2])


REFUSED = "ValueError: Model architectures ['X'] are not supported for now. Supported architectures: A"


@pytest.mark.parametrize(
    ("status", "log", "waited"),
    [
        ("failed: the container ended with exit code 1: x; next start in 2 s", REFUSED, False),
        (f"failed: the container ended with exit code 1: {REFUSED}", "", False),
        (f"waiting: rank 0 has not begun yet: failed: the container ended with exit code 1: {REFUSED}", "", False),
        ("failed: the container ended with exit code 1: x", "RuntimeError: Address already in use", True),
        ("failed: the container ended with exit code 1: x", "", True),
        ("loading: x", REFUSED, True),
    ],
)
def test_what_another_start_does_not_mend_is_not_waited_for(
    run_module: Run, node: Node, status: str, log: str, waited: bool
) -> None:
    node.units, node.log = [unit(status), READY], log
    result = run_module("rank_health", ranks=RANKS, wait_seconds=60)
    assert (result["verdict"] == "pass", bool(node.pauses)) == (waited, waited)
    assert result["facts"][UNIT].startswith("no use waiting: ") is not waited


@pytest.mark.parametrize(
    ("status", "pauses"),
    [
        ("failed 3 times: x", 0),
        ("waiting: rank 0 has not begun yet: failed 3 times: x", 0),
        ("given up after 6 failures", 0),
        ("failed 2 times: x", 3),
    ],
)
def test_what_fails_again_and_again_is_not_waited_for(run_module: Run, node: Node, status: str, pauses: int) -> None:
    node.units = [unit(status)]
    result = run_module("rank_health", ranks=RANKS, wait_seconds=4)
    assert result["failed"] and len(node.pauses) == pauses


def test_waiting_ends(run_module: Run, node: Node) -> None:
    node.units = [unit("loading: x")]
    result = run_module("rank_health", ranks=RANKS, wait_seconds=5)
    assert result["failed"]
    assert node.pauses == [2, 2, 2, 2]


def test_a_rank_that_was_given_up_is_not_waited_for(run_module: Run, node: Node) -> None:
    node.units = [unit("loading: x"), unit("given up after 6 failures, the last one: x", ActiveState="failed")]
    result = run_module("rank_health", ranks=RANKS, wait_seconds=60)
    assert result["failed"]
    assert "given up after 6 failures" in result["msg"]
    assert node.pauses == [2]


def test_every_rank_is_looked_at(run_module: Run, node: Node) -> None:
    node.units = [READY, unit("loading: x")]
    result = run_module("rank_health", ranks=[RANKS[0], {"unit": "other.service", "container": CONTAINER}])
    assert [one["verdict"] for one in result["checks"]] == ["pass", "pass", "fail", "pass"]
    assert result["facts"] == {UNIT: "ready after 9 s", "other.service": "loading: x"}
