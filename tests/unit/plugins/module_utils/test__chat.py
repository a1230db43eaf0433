# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _chat, _http

HTML = {"content-type": "text/html; charset=utf-8"}
REFUSED = _http.Answer(problem=_http.Problem(_http.REFUSED, "connection refused"))
TOKEN = "very-secret-token"


def said(status: int, body: t.Any = None, **more: t.Any) -> _http.Answer:
    return _http.Answer(status=status, body=b"" if body is None else json.dumps(body).encode(), **more)


def models(*names: str) -> _http.Answer:
    return said(200, {"data": [{"id": name} for name in names]})


CASES = {
    "page": (_chat.judge_page(said(200, headers=HTML)), "pass", "status 200, text/html"),
    "page of something else": (_chat.judge_page(said(200, {})), "fail", "no content type"),
    "page behind a dead upstream": (_chat.judge_page(said(502, headers=HTML)), "fail", "status 502"),
    "no page": (_chat.judge_page(REFUSED), "fail", "refused"),
    "sign-up closed": (_chat.judge_sign_up(said(403)), "pass", "status 403"),
    "sign-up open": (_chat.judge_sign_up(said(400)), "fail", "looked at"),
    "sign-up unknown": (_chat.judge_sign_up(said(500)), "not_verified", "status 500"),
    "sign-up unreached": (_chat.judge_sign_up(REFUSED), "not_verified", "refused"),
    "sign-up without any answer": (_chat.judge_sign_up(_http.Answer()), "not_verified", "no answer"),
    "API closed": (_chat.judge_anonymous(said(401)), "pass", "status 401"),
    "API open": (_chat.judge_anonymous(models("a")), "fail", "status 200"),
    "API broken": (_chat.judge_anonymous(said(503)), "not_verified", "status 503"),
    "API unreached": (_chat.judge_anonymous(REFUSED), "not_verified", "refused"),
    "login": (_chat.judge_sign_in(said(200, {"token": TOKEN})), "pass", "a token"),
    "login without a token": (_chat.judge_sign_in(said(200, {"mfa": TOKEN})), "fail", "without a token"),
    "wrong password": (_chat.judge_sign_in(said(400)), "fail", "address or password is refused"),
    "too many logins": (_chat.judge_sign_in(said(429)), "not_verified", "status 429"),
    "login broken": (_chat.judge_sign_in(said(500)), "fail", "status 500"),
    "login unreached": (_chat.judge_sign_in(REFUSED), "not_verified", "refused"),
    "all models": (_chat.judge_models(models("a", "b"), ["b", "a"]), "pass", "a, b"),
    "a model is missing": (_chat.judge_models(models("a"), ["a", "b"]), "fail", "a"),
    "any model": (_chat.judge_models(models("a"), []), "pass", "a"),
    "no model": (_chat.judge_models(models(), []), "fail", "no model"),
    "not models": (_chat.judge_models(said(200, ["x"]), []), "fail", "not a list of models"),
    "models broken": (_chat.judge_models(said(500), ["a"]), "fail", "status 500"),
}


@pytest.mark.parametrize(("check", "verdict", "observed"), CASES.values(), ids=CASES)
def test_verdicts(check: dict[str, t.Any], verdict: str, observed: str) -> None:
    assert check["verdict"] == verdict
    assert observed in check["observed"]
    assert bool(check["remedy"]) == (verdict != "pass")
    assert TOKEN not in json.dumps(check)


@pytest.mark.parametrize(
    ("answer", "token"),
    [
        (said(200, {"token": "x"}), "x"),
        (said(200, {"token": None}), ""),
        (said(200, ["x"]), ""),
        (said(400, {"token": "x"}), ""),
        (REFUSED, ""),
    ],
)
def test_token(answer: _http.Answer, token: str) -> None:
    assert _chat.token_of(answer) == token


def test_ready() -> None:
    assert _chat.is_ready(said(200))
    assert not _chat.is_ready(said(503))
    assert not _chat.is_ready(_http.Answer(status=200, problem=_http.Problem(_http.BROKEN, "x")))


def test_the_probe_for_open_sign_up_can_make_no_account() -> None:
    assert "@" not in _chat.NO_ACCOUNT["email"]
