# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The heartbeat of an engine: a counter that moves, or a token that is asked for."""

from __future__ import annotations

import types
import typing as t

import pytest

from tests.fakes import stub_endpoint as stub

TOKEN = stub.answer(200, {"usage": {"completion_tokens": 1}})


class Clock:
    """Stands in for the module ``time`` of the probes."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(probes: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(probes, "time", clock)
    return clock


def spec(url: str, **changed: t.Any) -> dict[str, t.Any]:
    return {
        "url": f"{url}/v1/completions",
        "model": "m",
        "metrics_url": f"{url}/metrics",
        "counters": ["x:tokens"],
        "idle_seconds": 30,
        "timeout_seconds": 2,
        **changed,
    }


def counts(*totals: float) -> stub.Route:
    return stub.in_turn(*[stub.answer(200, f"x:tokens {total}\n".encode()) for total in totals])


def test_while_the_counter_moves_nobody_is_asked(probes: types.ModuleType, clock: Clock) -> None:
    with stub.serving({"/metrics": counts(1, 2, 3, 4), "/v1/completions": stub.answer(500, b"")}) as url:
        heart = probes.Heartbeat(spec(url))
        for clock.now in (0, 25, 50, 75):
            heart.beat()


def test_an_idle_engine_is_asked_for_a_token_now_and_then(probes: types.ModuleType, clock: Clock) -> None:
    asked: list[float] = []

    def token(request: t.Any) -> None:
        asked.append(clock.now)
        TOKEN(request)

    with stub.serving({"/metrics": counts(5), "/v1/completions": token}) as url:
        heart = probes.Heartbeat(spec(url))
        for clock.now in range(0, 100, 5):
            heart.beat()
    assert asked == [30, 60, 90]


@pytest.mark.parametrize(
    "route",
    [
        stub.answer(500, b""),
        stub.answer(200, {"usage": {}}),
        stub.stream(then="hang"),
        # An answer in another form is a failure too, and not the end of the supervisor.
        stub.answer(200, b"well"),
        stub.answer(200, []),
    ],
)
def test_a_token_that_does_not_come_is_a_death(probes: types.ModuleType, clock: Clock, route: stub.Route) -> None:
    with stub.serving({"/metrics": counts(5), "/v1/completions": route}) as url:
        heart = probes.Heartbeat(spec(url, timeout_seconds=0.3))
        heart.beat()
        clock.now = 31
        with pytest.raises(probes.SilentError, match="no token: ") as silent:
            heart.beat()
        assert silent.value.weight == 3
        with pytest.raises(probes.SilentError):
            heart.beat()


@pytest.mark.parametrize("changed", [{"metrics_url": ""}, {"counters": ["x:other"]}])
def test_without_a_counter_a_token_is_asked_for(
    probes: types.ModuleType, clock: Clock, changed: dict[str, t.Any]
) -> None:
    with stub.serving({"/metrics": counts(1, 2, 3), "/v1/completions": TOKEN}) as url:
        heart = probes.Heartbeat(spec(url, **changed))
        for clock.now in (0, 29, 40):
            heart.beat()
        assert heart.seen == 40


def test_a_counter_that_began_anew_is_no_token(probes: types.ModuleType, clock: Clock) -> None:
    with stub.serving({"/metrics": counts(9, 1), "/v1/completions": stub.answer(500, b"")}) as url:
        heart = probes.Heartbeat(spec(url))
        heart.beat()
        clock.now = 31
        with pytest.raises(probes.SilentError):
            heart.beat()
