# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ray's dashboard, its token and its ports, asked of stand-ins that answer in every way."""

from __future__ import annotations

import itertools
import pathlib
import socket
import types
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.modules import ray_health
from tests.fakes import stub_endpoint as stub

Run = t.Callable[..., dict[str, t.Any]]

TOKEN = "token-0123456789-abcdef"
EXPECT = {"addresses": ["10.0.0.1", "10.0.0.2"], "gpus": 2}


def listed(*addresses: str) -> stub.Route:
    """A dashboard that lists these nodes, with a GPU each."""
    nodes = [{"node_ip": one, "state": "ALIVE", "resources_total": {"GPU": 1.0}} for one in addresses]
    return stub.answer(200, {"result": True, "data": {"result": {"total": len(nodes), "result": nodes}}})


ALL = listed("10.0.0.1", "10.0.0.2")


@pytest.fixture
def token(tmp_path: pathlib.Path) -> str:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    return str(tmp_path / "token")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the module's clock go on by a second at each look, and its pauses take no time; return the pauses."""
    wanted: list[float] = []
    clock = types.SimpleNamespace(sleep=wanted.append, monotonic=itertools.count().__next__)
    monkeypatch.setattr(ray_health, "time", clock)
    return wanted


def verdicts(result: dict[str, t.Any]) -> dict[str, str]:
    return {one["name"]: one["verdict"] for one in result["checks"]}


def test_a_whole_cluster_with_token_authentication(run_module: Run, token: str) -> None:
    with stub.serving({ray_health.NODES: stub.with_key(TOKEN, ALL)}) as url:
        result = run_module("ray_health", check=True, url=url, token_path=token, expect=EXPECT, strict=True)
    assert not result["failed"] and not result["changed"]
    assert verdicts(result) == {
        "Ray members": "pass",
        "Ray members that nobody declared": "pass",
        "Ray GPUs": "pass",
        "Ray token authentication": "pass",
    }
    assert [one["node_ip"] for one in result["facts"]["nodes"]] == ["10.0.0.1", "10.0.0.2"]


def test_a_cluster_without_authentication_fails(run_module: Run, token: str) -> None:
    with stub.serving({ray_health.NODES: ALL}) as url:
        result = run_module("ray_health", url=url, token_path=token, expect=EXPECT)
    assert result["failed"]
    assert verdicts(result)["Ray token authentication"] == "fail"
    assert "200 without a token, 200 with a wrong one" in result["msg"]


def test_a_missing_member_is_named(run_module: Run, token: str) -> None:
    with stub.serving({ray_health.NODES: stub.with_key(TOKEN, listed("10.0.0.1"))}) as url:
        result = run_module("ray_health", url=url, token_path=token, expect=EXPECT)
    assert result["failed"]
    assert "missing 10.0.0.2" in result["msg"]


def test_members_are_waited_for(run_module: Run, token: str, pauses: list[float]) -> None:
    coming = stub.in_turn(stub.answer(503, {}), listed("10.0.0.1"), ALL)
    with stub.serving({ray_health.NODES: stub.with_key(TOKEN, coming)}) as url:
        result = run_module("ray_health", url=url, token_path=token, expect=EXPECT, wait_seconds=600)
    assert result["verdict"] == "pass"
    assert pauses == [2, 2]


def test_waiting_ends(run_module: Run, token: str, pauses: list[float]) -> None:
    with stub.serving({ray_health.NODES: stub.with_key(TOKEN, listed("10.0.0.1"))}) as url:
        result = run_module("ray_health", url=url, token_path=token, expect=EXPECT, wait_seconds=3)
    assert result["failed"]
    assert pauses == [2, 2]


@pytest.mark.parametrize(
    ("route", "why"),
    [
        (stub.answer(200, {"data": {}}), "answered in an unknown form"),
        (stub.answer(200, b"<html>", "text/html"), "answered in an unknown form"),
        (stub.answer(500, {}), "answered 500"),
        (stub.hang_up, "broken"),
        (stub.not_http, "not HTTP"),
    ],
)
def test_a_dashboard_that_gives_no_list_is_not_verified(
    run_module: Run, token: str, route: stub.Route, why: str
) -> None:
    with stub.serving({ray_health.NODES: stub.with_key(TOKEN, route)}) as url:
        result = run_module("ray_health", url=url, token_path=token, expect=EXPECT)
    [members, authentication] = result["checks"]
    assert (members["verdict"], authentication["verdict"]) == ("not_verified", "pass")
    assert why in members["observed"]


def test_nobody_on_the_port_is_not_verified(run_module: Run, token: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    result = run_module("ray_health", url=url, token_path=token, expect=EXPECT)
    assert set(verdicts(result).values()) == {"not_verified"}
    assert all("refused" in one["observed"] for one in result["checks"])
    assert run_module("ray_health", url=url, token_path=token, expect=EXPECT, strict=True)["failed"]


def test_why_authentication_is_unknown_is_told(run_module: Run, token: str) -> None:
    """The first of the two questions has no answer; the second one has."""
    answers = stub.in_turn(ALL, stub.hang_up, stub.answer(401, {}))
    with stub.serving({ray_health.NODES: answers}) as url:
        result = run_module("ray_health", url=url, token_path=token, expect=EXPECT)
    last = result["checks"][-1]
    assert last["verdict"] == "not_verified"
    assert "broken" in last["observed"]


def test_a_token_that_cannot_be_read_says_what_to_do(run_module: Run, tmp_path: pathlib.Path) -> None:
    result = run_module("ray_health", url="http://127.0.0.1:1", token_path=str(tmp_path / "none"))
    assert result["failed"]
    assert result["msg"].startswith("The token cannot be read")
    assert "ray_cluster role" in result["msg"]


def test_the_token_stands_in_no_result(run_module: Run, token: str) -> None:
    with stub.serving({ray_health.NODES: stub.with_key(TOKEN, ALL)}) as url:
        assert TOKEN not in str(run_module("ray_health", url=url, token_path=token, expect=EXPECT))


# --- ports ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("members", "verdict"), [([], "fail"), (["127.0.0.1"], "not_verified")])
def test_an_open_port(run_module: Run, members: list[str], verdict: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = [{"address": "127.0.0.1", "port": server.getsockname()[1], "what": "Ray gcs"}]
        result = run_module("ray_health", expect={"closed": closed, "members": members})
    assert result["failed"] is (verdict == "fail")
    assert verdicts(result) == {"closed to outsiders: Ray gcs": verdict}


def test_a_closed_port(run_module: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    result = run_module("ray_health", expect={"closed": [{"address": "127.0.0.1", "port": str(port), "what": "x"}]})
    assert (result["verdict"], result["checks"][0]["observed"]) == ("pass", f"127.0.0.1:{port} refused")


def test_nothing_asked_is_not_verified(run_module: Run) -> None:
    assert run_module("ray_health")["verdict"] == "not_verified"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), "timeout"),
        (OSError(113, "No route to host"), "unreachable"),
        (socket.gaierror(-2, "Name or service not known"), "unreachable"),
        (ConnectionRefusedError(), "refused"),
    ],
)
def test_how_a_connection_fails(monkeypatch: pytest.MonkeyPatch, error: OSError, expected: str) -> None:
    def fail(*_arguments: t.Any, **_options: t.Any) -> t.NoReturn:
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    assert ray_health.connect("10.0.0.1", 6379) == expected


def test_the_own_address_is_that_of_the_route() -> None:
    assert ray_health.own_address("127.0.0.1") == "127.0.0.1"
    # No IPv4 socket leads there.
    assert ray_health.own_address("::1") == ""
