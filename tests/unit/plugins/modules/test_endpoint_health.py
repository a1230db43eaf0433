# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import socket
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.modules import endpoint_health
from tests.fakes import stub_endpoint as stub

KEY = "stub-key-0123456789-abcdef"
Run = t.Callable[..., dict[str, t.Any]]


def routes(models: stub.Route | None = None, completion: stub.Route | None = None) -> dict[str, stub.Route]:
    return {
        "/v1/models": stub.with_key(KEY, models or stub.models("m")),
        "/v1/chat/completions": stub.with_key(KEY, completion or stub.stream(*stub.GOOD_STREAM)),
        "/health": stub.answer(200, b""),
    }


def verdicts(result: dict[str, t.Any]) -> dict[str, str]:
    return {check["name"]: check["verdict"] for check in result["checks"]}


def test_a_good_endpoint_over_tls(run_module: Run, tmp_path: pathlib.Path) -> None:
    pem = stub.certificate(tmp_path / "endpoint.pem")
    (tmp_path / "key").write_text(f"# keys\n\nfirst:{KEY}\nsecond:other\n")
    with stub.serving(routes(), tls=pem) as url:
        result = run_module(
            "endpoint_health",
            url=url,
            ca_path=str(pem),
            api_key_path=str(tmp_path / "key"),
            model="m",
            forbidden_routes=["/metrics", "/docs"],
            strict=True,
        )
    assert not result["failed"] and not result["changed"]
    assert result["verdict"] == "pass"
    assert list(verdicts(result)) == [
        "TLS certificate",
        "model is listed",
        "streamed completion",
        "no key is refused",
        "wrong key is refused",
        "engine routes are closed",
    ]
    facts = result["facts"]
    assert (facts["tokens"], facts["text"], facts["finish_reason"]) == (5, "Hello", "stop")
    assert facts["certificate_days_left"] == 365
    assert [step["state"] for step in facts["progress"]] == ["ready"]


FAULTS = {
    "hang": (routes(models=stub.hang), "model is listed", "timeout"),
    "closed": (routes(models=stub.hang_up), "model is listed", "broken"),
    "key refused": (routes(models=stub.answer(401, {})), "model is listed", "status 401"),
    "engine behind is dead": (routes(models=stub.answer(502, {})), "model is listed", "status 502"),
    "other model": (routes(models=stub.models("n")), "model is listed", "n"),
    "no such route": ({}, "model is listed", "status 404"),
    "stream cut": (
        routes(completion=stub.stream(stub.event(content="a"), then="cut")),
        "streamed completion",
        "broken",
    ),
    "stream hangs": (
        routes(completion=stub.stream(stub.event(content="a"), then="hang")),
        "streamed completion",
        "1 token",
    ),
    "stream ends early": (routes(completion=stub.stream(stub.event(content="a"))), "streamed completion", "broke off"),
    "no token": (routes(completion=stub.stream(stub.FINISH, stub.DONE)), "streamed completion", "without a token"),
    "not streamed": (routes(completion=stub.answer(200, {"choices": []})), "streamed completion", "application/json"),
    "error": (routes(completion=stub.answer(500, {"error": "boom"})), "streamed completion", "boom"),
}


@pytest.mark.parametrize(("served", "name", "observed"), FAULTS.values(), ids=FAULTS)
def test_faults(run_module: Run, served: dict[str, stub.Route], name: str, observed: str) -> None:
    with stub.serving(served) as url:
        result = run_module("endpoint_health", url=url, api_key=KEY, model="m", timeout_seconds=1, check_auth=False)
    check = next(one for one in result["checks"] if one["verdict"] == "fail")
    assert result["failed"]
    assert check["name"] == name
    assert observed in check["observed"]
    assert check["remedy"] in result["msg"]
    assert KEY not in result["msg"]


def test_health_alone_is_not_readiness(run_module: Run) -> None:
    with stub.serving({"/health": stub.answer(200, b"")}) as url:
        result = run_module("endpoint_health", url=url, check_auth=False)
    assert result["verdict"] == "fail"


def test_nobody_listens(run_module: Run) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        result = run_module("endpoint_health", url=url, api_key=KEY, forbidden_routes=["/metrics"], fail_on=[])
    assert not result["failed"]
    assert verdicts(result) == {
        "model is listed": "fail",
        "streamed completion": "not_verified",
        "no key is refused": "not_verified",
        "wrong key is refused": "not_verified",
        "engine routes are closed": "not_verified",
    }


def test_an_open_endpoint(run_module: Run) -> None:
    served = {
        "/v1/models": stub.models("m"),
        "/v1/chat/completions": stub.stream(*stub.GOOD_STREAM),
        "/metrics": stub.answer(200, b"vllm"),
        "/tokenize": stub.answer(405, {}),
    }
    with stub.serving(served) as url:
        result = run_module("endpoint_health", url=url, forbidden_routes=["/metrics", "/tokenize", "/docs"])
    failed = [check["name"] for check in result["checks"] if check["verdict"] == "fail"]
    assert failed == ["no key is refused", "wrong key is refused", "engine routes are closed"]
    assert "/metrics 200, /tokenize 405" in result["msg"]


def test_it_waits_while_the_engine_loads(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_health, "PAUSE_SECONDS", 0.0)
    loading = stub.in_turn(stub.answer(503, {}), stub.answer(503, {}), stub.models(), stub.models("m"))
    with stub.serving(routes(models=loading)) as url:
        result = run_module("endpoint_health", url=url, api_key=KEY, wait_seconds=30, check_auth=False)
    states = [step["state"] for step in result["facts"]["progress"]]
    assert result["verdict"] == "pass"
    assert len(states) == 3
    assert "503" in states[0] and "no model" in states[1] and states[2] == "ready"


def test_it_does_not_wait_for_what_cannot_get_better(run_module: Run) -> None:
    with stub.serving(routes()) as url:
        result = run_module("endpoint_health", url=url, api_key="wrong", wait_seconds=3600, check_auth=False)
    assert "status 401" in result["msg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "gateway.example"}, "is not a URL"),
        ({"url": "https://127.0.0.1", "ca_path": "/nowhere/ca.crt"}, "No such file"),
        ({"url": "http://127.0.0.1", "api_key_path": "/nowhere/key"}, "/nowhere/key"),
        ({"url": "http://127.0.0.1", "expect": {"tokens": 3}}, "tokens is unknown"),
        ({"url": "http://127.0.0.1", "expect": {"first_token_seconds": "soon"}}, "must be a number"),
    ],
)
def test_bad_options(run_module: Run, options: dict[str, t.Any], message: str) -> None:
    result = run_module("endpoint_health", **options)
    assert result["failed"]
    assert message in result["msg"]


def test_a_key_file_without_a_key() -> None:
    with pytest.raises(ValueError, match="no key"):
        endpoint_health.key_of("# nothing\n\n")
