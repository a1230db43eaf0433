# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A group of three ranks on three loopback addresses: who begins, who follows, and what ends a round for all."""

from __future__ import annotations

import importlib
import socket
import threading
import types
import typing as t

import pytest

ADDRESSES = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


class Clock:
    """Stands in for the module ``time`` of the group."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def group() -> types.ModuleType:
    return importlib.import_module("rank_group")


@pytest.fixture
def clock(group: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(group, "time", clock)
    monkeypatch.setattr(group, "ASK_TIMEOUT_SECONDS", 0.5)
    return clock


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def ranks(group: types.ModuleType, clock: Clock, port: int) -> list[t.Any]:
    """Three ranks that hear each other; nothing runs yet."""
    peers = [{"rank": rank, "address": address} for rank, address in enumerate(ADDRESSES)]
    found = []
    for rank, address in enumerate(ADDRESSES):
        others = [one for one in peers if one["rank"] != rank]
        one = group.Group({"name": "r1", "rank": rank, "address": address, "port": port, "peers": others})
        one.serve()
        found.append(one)
    return found


@pytest.fixture
def running(ranks: list[t.Any]) -> list[t.Any]:
    """The same, in their first round."""
    assert [one.lacks() for one in ranks] == ["", "", ""]
    for one in ranks:
        one.check()
    return ranks


def test_followers_wait_for_the_leader(ranks: list[t.Any]) -> None:
    assert ranks[1].lacks() == "rank 0 has not begun yet"
    assert ranks[0].lacks() == ""
    assert ranks[1].lacks() == "" == ranks[2].lacks()
    assert len({one.round for one in ranks}) == 1 and ranks[0].round


def test_readiness_is_the_leaders(running: list[t.Any]) -> None:
    assert [one.not_ready() for one in running] == ["", "rank 0 is not ready yet", "rank 0 is not ready yet"]
    running[0].tell("ready")
    assert [one.not_ready() for one in running] == ["", "", ""]
    for one in running:
        one.check()


def test_the_leader_hears_who_needs_longest(running: list[t.Any]) -> None:
    leader, first, second = running
    assert leader.longest()[0] == 0
    first.needs(1000.0)
    second.needs(2700.5)
    leader.check()
    assert leader.longest() == (2700.5, 2)
    leader.tell("down")
    for one in (first, second):
        one.tell("down")
    assert leader.lacks() == "" and leader.longest() == (0.0, 0), "a new round begins without it"


def test_a_rank_that_goes_down_ends_the_round_for_all(group: types.ModuleType, running: list[t.Any]) -> None:
    leader, first, second = running
    first.tell("down", "its container ended")
    second.check()
    with pytest.raises(group.RankFailedError, match=r"rank 1 at 127\.0\.0\.2: its container ended"):
        leader.check()
    leader.tell("down", "rank 1 went")
    with pytest.raises(group.RoundEndedError, match="rank 0 began anew: rank 1 went"):
        second.check()
    assert leader.lacks() == "rank 2 has not stopped yet"
    second.tell("down")
    old = leader.round
    assert leader.lacks() == "" and leader.round != old
    assert first.lacks() == "" == second.lacks()
    for one in running:
        one.check()


def test_a_supervisor_that_began_anew_ends_the_round(
    group: types.ModuleType, running: list[t.Any], port: int, clock: Clock
) -> None:
    """The leader has seen rank 2 in this round; a new supervisor there knows no round."""
    leader, _first, second = running
    second.round = ""
    second.tell("down")
    with pytest.raises(group.RankFailedError, match=r"rank 2 at 127\.0\.0\.3: was restarted"):
        leader.check()


def test_a_leader_that_began_anew_takes_its_followers_along(group: types.ModuleType, running: list[t.Any]) -> None:
    leader, first, second = running
    leader.tell("down")
    for one in (first, second):
        with pytest.raises(group.RoundEndedError, match="it was restarted"):
            one.check()
        one.tell("down")
        assert one.lacks() == "rank 0 has not begun yet"
    leader.tell("down", "failed 2 times: x")
    assert first.lacks() == "rank 0 has not begun yet: failed 2 times: x"
    assert leader.lacks() == "" == first.lacks()


def test_who_does_not_follow_in_time_ends_the_round(group: types.ModuleType, ranks: list[t.Any], clock: Clock) -> None:
    leader, first, _second = ranks
    assert leader.lacks() == "" == first.lacks()
    clock.now = group.JOIN_SECONDS
    leader.check()
    clock.now += 1
    with pytest.raises(group.RankFailedError, match=r"rank 2 at 127\.0\.0\.3 did not follow in 60 s"):
        leader.check()


def test_silence_is_borne_for_a_while(group: types.ModuleType, running: list[t.Any], clock: Clock) -> None:
    leader, first, _second = running
    for one in (leader, first):
        one.spec["port"] = 9
    clock.now = group.SILENCE_SECONDS
    leader.check()
    first.check()
    clock.now += 1
    for one, whom in ((leader, "rank 1 at 127"), (first, "rank 0 at 127")):
        with pytest.raises(group.RankFailedError, match=rf"the supervisor of {whom}.* does not answer: .* for 20 s"):
            one.check()
    assert "does not answer" in leader.lacks()


@pytest.mark.parametrize("who", [0, 1])
def test_who_gives_up_takes_all_along(group: types.ModuleType, running: list[t.Any], who: int) -> None:
    running[who].tell("given_up", "after 6 failures")
    other = running[1 - who]
    for ask in (other.check, other.lacks):
        with pytest.raises(group.GroupGivenUpError, match=rf"rank {who} at .* has given up: after 6 failures"):
            ask()


def test_another_group_at_the_port_is_named(group: types.ModuleType, ranks: list[t.Any], port: int) -> None:
    stranger = group.Group({**ranks[0].spec, "name": "v3"})
    assert "is another one: {'group': 'r1', 'rank': 1" in stranger.lacks()


@pytest.mark.parametrize("said", [b"[]", b"{}", b'{"group": "r1", "rank": 1}', b'"r1"'])
def test_an_answer_in_another_form_is_named(group: types.ModuleType, clock: Clock, said: bytes) -> None:
    with socket.create_server(("127.0.0.9", 0)) as server:

        def answer() -> None:
            channel, _peer = server.accept()
            with channel:
                channel.sendall(said + b"\n")

        threading.Thread(target=answer, daemon=True).start()
        spec = {"name": "r1", "rank": 0, "address": "127.0.0.1", "port": server.getsockname()[1]}
        stranger = group.Group({**spec, "peers": [{"rank": 1, "address": "127.0.0.9"}]})
        assert " is another one: " in stranger.lacks()


def test_something_else_at_the_port_is_named(group: types.ModuleType, clock: Clock) -> None:
    with socket.create_server(("127.0.0.9", 0)) as server:
        spec = {"name": "r1", "rank": 0, "address": "127.0.0.1", "port": server.getsockname()[1]}
        silent = group.Group({**spec, "peers": [{"rank": 1, "address": "127.0.0.9"}]})
        assert "does not answer: timed out" in silent.lacks()


def test_a_port_that_is_taken_is_an_error(group: types.ModuleType, ranks: list[t.Any]) -> None:
    with pytest.raises(OSError, match="in use"):
        group.Group(ranks[0].spec).serve()
