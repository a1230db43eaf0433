# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.modules import chat_health
from tests.fakes import stub_endpoint as stub

TOKEN = "token-of-the-administrator"
PASSWORD = "password-of-the-administrator"
Run = t.Callable[..., dict[str, t.Any]]
NAMES = [
    "page answers",
    "sign-up is closed",
    "API without a login is refused",
    "login",
    "models are listed",
    "streamed reply",
]


def routes(**changes: stub.Route) -> dict[str, stub.Route]:
    """A page as Open WebUI answers; ``changes`` are routes by the last part of their path."""
    good = {
        "/ready": stub.answer(200, {"status": True}),
        "/": stub.answer(200, b"<html></html>", "text/html; charset=utf-8"),
        "/api/v1/auths/signup": stub.answer(403, {"detail": "no"}),
        "/api/v1/auths/signin": stub.answer(200, {"token": TOKEN}),
        "/api/models": stub.with_key(TOKEN, stub.models("deepseek", "tiny")),
        "/api/chat/completions": stub.with_key(TOKEN, stub.stream(*stub.GOOD_STREAM)),
    }
    return {path: changes.get(path.rpartition("/")[2] or "page", route) for path, route in good.items()}


def ask(run_module: Run, url: str, **more: t.Any) -> dict[str, t.Any]:
    options = {"email": "admin@localhost", "password": PASSWORD, "timeout_seconds": 2, **more}
    return run_module("chat_health", url=url, **options)


def test_a_good_page_over_tls(run_module: Run, tmp_path: pathlib.Path) -> None:
    pem = stub.certificate(tmp_path / "page.pem")
    with stub.serving(routes(), tls=pem) as url:
        result = ask(run_module, url, ca_path=str(pem), models=["tiny", "deepseek"], strict=True)
    assert not result["failed"] and not result["changed"]
    assert result["verdict"] == "pass"
    assert [one["name"] for one in result["checks"]] == ["TLS certificate", *NAMES]
    facts = result["facts"]
    assert (facts["model"], facts["models"], facts["tokens"]) == ("tiny", ["deepseek", "tiny"], 5)


def test_without_wishes_the_first_model_is_asked(run_module: Run) -> None:
    with stub.serving(routes()) as url:
        result = ask(run_module, url)
    assert (result["verdict"], result["facts"]["model"]) == ("pass", "deepseek")


FAULTS = {
    "no page": ({"page": stub.answer(502, b"")}, "page answers", "status 502"),
    "open sign-up": ({"signup": stub.answer(400, {})}, "sign-up is closed", "looked at"),
    "open API": ({"models": stub.models("tiny")}, "API without a login is refused", "status 200"),
    "refused login": ({"signin": stub.answer(400, {})}, "login", "is refused"),
    "no model": ({"models": stub.with_key(TOKEN, stub.models("other"))}, "models are listed", "other"),
    "cut reply": ({"completions": stub.stream(stub.event(content="a"), then="cut")}, "streamed reply", "broken"),
    "no token": ({"completions": stub.stream(stub.FINISH, stub.DONE)}, "streamed reply", "without a token"),
}


@pytest.mark.parametrize(("changes", "name", "observed"), FAULTS.values(), ids=FAULTS)
def test_faults(run_module: Run, changes: dict[str, stub.Route], name: str, observed: str) -> None:
    with stub.serving(routes(**changes)) as url:
        result = ask(run_module, url, models=["tiny"])
    (bad,) = [one for one in result["checks"] if one["verdict"] == "fail"]
    assert result["failed"]
    assert bad["name"] == name
    assert observed in bad["observed"]
    assert bad["remedy"] in result["msg"]
    assert [one["name"] for one in result["checks"]] == NAMES
    assert PASSWORD not in result["msg"] and TOKEN not in result["msg"]


def test_what_follows_a_refused_login_is_not_verified(run_module: Run) -> None:
    with stub.serving(routes(signin=stub.answer(429, {}))) as url:
        result = ask(run_module, url)
    assert (result["failed"], result["verdict"]) == (False, "not_verified")
    assert [one["verdict"] for one in result["checks"]] == ["pass"] * 3 + ["not_verified"] * 3


def test_it_waits_for_the_start_and_logs_in_once(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    logins = []

    def sign_in(request: http.server.BaseHTTPRequestHandler) -> None:
        logins.append(request.path)
        stub.answer(200, {"token": TOKEN})(request)

    starting = stub.in_turn(stub.answer(502, {}), stub.answer(503, {}), stub.answer(200, {}))
    with stub.serving(routes(ready=starting, signin=sign_in)) as url:
        result = ask(run_module, url, wait_seconds=60)
    assert result["verdict"] == "pass"
    assert len([one for one in pauses if one == chat_health.PAUSE_SECONDS]) == 2
    assert len(logins) == 1


MISTAKES = {
    "no URL": ({"url": "page"}, "'page' is not a URL"),
    "unknown expectation": ({"expect": {"speed": 1}}, "speed is unknown"),
    "no number": ({"expect": {"certificate_days_left": "many"}}, "must be a number of days"),
    "no certificate": ({"url": "https://127.0.0.1", "ca_path": "/nowhere/ca.crt"}, "No such file"),
}


@pytest.mark.parametrize(("options", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(run_module: Run, options: dict[str, t.Any], message: str) -> None:
    result = ask(run_module, **{"url": "http://127.0.0.1:1", **options})
    assert result["failed"]
    assert message in result["msg"]
