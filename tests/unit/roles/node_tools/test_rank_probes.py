# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of probe: when it passes, and what it says when it does not."""

from __future__ import annotations

import http.server
import json
import pathlib
import socket
import types
import typing as t

import pytest

from tests.fakes import stub_endpoint as stub
from tests.unit.roles.node_tools.conftest import Docker

NAME = "gpufleet-x-rank0"
NODES = [{"node_ip": "a", "state": "ALIVE", "resources_total": {"GPU": 1}}]
LISTED = {"data": {"result": {"result": NODES}}}


def why_not(probes: types.ModuleType, probe: dict[str, t.Any]) -> str:
    """Return what a probe says when it does not pass; empty when it passes."""
    try:
        probes.probe(probe, NAME)
    except probes.RankFailedError as why:
        return str(why)
    return ""


@pytest.fixture(autouse=True)
def proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies of the environment lead nowhere: a peer is asked directly."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)


def test_tcp(probes: types.ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        probe = {"kind": "tcp", "address": "127.0.0.1", "port": server.getsockname()[1]}
        assert why_not(probes, probe) == ""
    said = why_not(probes, probe)
    assert said.startswith(f"127.0.0.1:{probe['port']} does not accept: ")
    assert "refused" in said


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (stub.answer(200, b""), ""),
        (stub.answer(503, b""), "answered 503"),
        (stub.answer(302, b""), "answered 302"),
        (stub.hang_up, "Remote end closed connection"),
        (stub.not_http, "SSH-2.0"),
    ],
)
def test_http(probes: types.ModuleType, route: stub.Route, expected: str) -> None:
    with stub.serving({"/health": route}) as url:
        said = why_not(probes, {"kind": "http", "url": f"{url}/health"})
        assert bool(said) is bool(expected)
        assert expected in said
        assert said == "" or said.startswith(f"{url}/health")


def test_http_that_hangs_is_a_failure(probes: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PROBE_TIMEOUT_SECONDS", 0.05)
    with stub.serving({"/health": stub.hang}) as url:
        assert "timed out" in why_not(probes, {"kind": "http", "url": f"{url}/health"})


def test_http_with_a_token(probes: types.ModuleType, tmp_path: pathlib.Path) -> None:
    (tmp_path / "good").write_text("t0ken\n")
    (tmp_path / "bad").write_text("other\n")
    with stub.serving({"/": stub.with_key("t0ken", stub.answer(200, b""))}) as url:
        said = {
            name: why_not(probes, {"kind": "http", "url": f"{url}/", "token_path": str(tmp_path / name)})
            for name in ("good", "bad", "none")
        }
    assert said["good"] == ""
    assert said["bad"] == f"{url}/ answered 401"
    assert "No such file" in said["none"]


@pytest.mark.parametrize(
    ("answer", "addresses", "expected"),
    [
        (LISTED, ["a"], ""),
        (LISTED, ["a", "b"], "Ray does not count b as alive"),
        ({"data": {}}, ["a"], "answered in an unknown form"),
        ({"data": {"result": {"result": [None]}}}, ["a"], "answered in an unknown form"),
        ([], ["a"], "answered in an unknown form"),
        (b"<html>", ["a"], "answered in an unknown form"),
    ],
)
def test_ray_nodes(probes: types.ModuleType, answer: t.Any, addresses: list[str], expected: str) -> None:
    with stub.serving({"/nodes": stub.answer(200, answer)}) as url:
        said = why_not(probes, {"kind": "ray_nodes", "url": f"{url}/nodes", "addresses": addresses, "gpus": 1})
    assert bool(said) is bool(expected)
    assert expected in said


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"usage": {"completion_tokens": 1}}, ""),
        ({"usage": {"completion_tokens": 0}}, "gave no token"),
        ({"usage": None}, "gave no token"),
        ({}, "gave no token"),
        ([], "answered in an unknown form"),
        (b"ok", "answered in an unknown form"),
    ],
)
def test_completion(probes: types.ModuleType, answer: t.Any, expected: str) -> None:
    with stub.serving({"/v1/completions": stub.answer(200, answer)}) as url:
        said = why_not(probes, {"kind": "completion", "url": f"{url}/v1/completions", "model": "m"})
    assert bool(said) is bool(expected)
    assert expected in said


def test_a_completion_is_bounded(probes: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[t.Any] = []

    def ask(url: str, **options: t.Any) -> str:
        asked.append((url, options))
        return '{"usage": {"completion_tokens": 1}}'

    monkeypatch.setattr(probes, "ask", ask)
    probes.probe({"kind": "completion", "url": "http://x/v1/completions", "model": "m"}, NAME)
    [(_url, options)] = asked
    assert (options["body"]["model"], options["body"]["max_tokens"]) == ("m", 1)
    assert options["timeout"] == probes.COMPLETION_TIMEOUT_SECONDS


def test_what_is_posted_is_json(probes: types.ModuleType) -> None:
    seen: list[tuple[str, str]] = []

    def echo(request: http.server.BaseHTTPRequestHandler) -> None:
        seen.append((request.command, request.headers["Content-Type"]))
        stub.answer(200, {"a": 1})(request)

    with stub.serving({"/": echo}) as url:
        assert json.loads(probes.ask(f"{url}/", body={"q": 1})) == {"a": 1}
        probes.ask(f"{url}/")
    assert seen == [("POST", "application/json"), ("GET", "application/json")]


def test_process(probes: types.ModuleType, docker: Docker) -> None:
    """Processes belong to the container whose identity stands in their cgroup; ours stands in for one."""
    docker.identity(pathlib.Path("/proc/self/cgroup").read_text().splitlines()[-1])
    own = pathlib.Path("/proc/self/comm").read_text().strip()
    assert why_not(probes, {"kind": "process", "name": own}) == ""
    assert why_not(probes, {"kind": "process", "name": "no-such"}) == f"no-such does not run in {NAME}"
    assert docker.calls[0] == f"inspect --format {{{{.Id}}}} {NAME}"


@pytest.mark.parametrize("identity", [None, "", "0123456789abcdef-nobody"])
def test_no_container_has_no_processes(probes: types.ModuleType, docker: Docker, identity: str | None) -> None:
    if identity is not None:
        docker.identity(identity)
    assert probes.processes(NAME) == set()


def test_an_unknown_probe_is_named(probes: types.ModuleType) -> None:
    assert why_not(probes, {"kind": "magic"}) == "the plan names an unknown probe 'magic'"


def test_commands_are_bounded(probes: types.ModuleType) -> None:
    with pytest.raises(probes.RankFailedError, match=r"sleep 60 did not return within 0\.05 s"):
        probes.run("sleep", "60", timeout=0.05)
    with pytest.raises(probes.RankFailedError, match="gpufleet-no-such cannot be started: No such file"):
        probes.run("gpufleet-no-such")
