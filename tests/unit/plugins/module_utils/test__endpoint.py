# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _endpoint, _http
from ansible_collections.gpufleet.inference.plugins.module_utils._sse import Reply

DAY = 86400.0
SSE = {"content-type": "text/event-stream; charset=utf-8"}


def answered(status: int, body: t.Any = None, headers: dict[str, str] | None = None) -> _http.Answer:
    return _http.Answer(status=status, body=json.dumps(body).encode(), headers=headers or {})


def problem(kind: str, status: int | None = None) -> _http.Answer:
    return _http.Answer(status=status, problem=_http.Problem(kind, "text"), headers=SSE)


def listing(*names: str) -> _http.Answer:
    return answered(200, {"data": [{"id": name} for name in names]})


def reply(*lines: str) -> Reply:
    made = Reply()
    made.feed("".join(f"data: {line}\n\n" for line in lines).encode())
    return made


TOKEN = '{"choices": [{"delta": {"content": "a"}}]}'
ERROR = '{"error": {"message": "out of memory"}}'


@pytest.mark.parametrize("kind", _endpoint.PROBLEM_REMEDIES)
def test_each_problem_fails_with_a_remedy(kind: str) -> None:
    check = _endpoint.judge_models(problem(kind), "m")
    assert check["verdict"] == "fail"
    assert check["observed"].startswith(kind)
    assert check["remedy"]


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (400, "message"),
        (401, "key"),
        (403, "key"),
        (404, "served name"),
        (429, "busy"),
        (500, "engine"),
        (301, "OpenAI"),
    ],
)
def test_each_status_fails_with_a_remedy(status: int, remedy: str) -> None:
    check = _endpoint.judge_models(answered(status), "m")
    assert check["verdict"] == "fail"
    assert remedy in check["remedy"]


@pytest.mark.parametrize(
    ("answer", "model", "verdict"),
    [
        (listing("a", "b"), "b", "pass"),
        (listing("a"), None, "pass"),
        (listing("a"), "b", "fail"),
        (listing(), None, "fail"),
        (answered(200, {"status": "ok"}), None, "fail"),
        (answered(200, ["a"]), None, "fail"),
    ],
)
def test_models(answer: _http.Answer, model: str | None, verdict: str) -> None:
    assert _endpoint.judge_models(answer, model)["verdict"] == verdict


COMPLETIONS = {
    "tokens": (answered(200, headers=SSE), reply(TOKEN, "[DONE]"), "pass", "1 token in"),
    "no token": (answered(200, headers=SSE), reply("[DONE]"), "fail", "without a token"),
    "broke off": (answered(200, headers=SSE), reply(TOKEN), "fail", "broke off after 1 token"),
    "error inside": (answered(200, headers=SSE), reply(TOKEN, ERROR, "[DONE]"), "fail", "out of memory"),
    "connection cut": (problem(_http.BROKEN, 200), reply(TOKEN), "fail", "broken after 1 token"),
    "hang": (problem(_http.TIMEOUT, 200), reply(), "fail", "timeout after 0 tokens"),
    "not streamed": (answered(200, headers={"content-type": "application/json"}), reply(), "fail", "application/json"),
    "engine dead": (answered(503, "EngineDead"), reply(), "fail", "status 503"),
}


@pytest.mark.parametrize(("answer", "said", "verdict", "observed"), COMPLETIONS.values(), ids=COMPLETIONS)
def test_completion(answer: _http.Answer, said: Reply, verdict: str, observed: str) -> None:
    check = _endpoint.judge_completion(answer, said)
    assert check["verdict"] == verdict
    assert observed in check["observed"]
    assert bool(check["remedy"]) == (verdict != "pass")


@pytest.mark.parametrize(("limit", "verdict"), [(3.0, "pass"), (1.0, "fail")])
def test_first_token_in_time(limit: float, verdict: str) -> None:
    ticks = iter([0.0, 2.0, 2.0])
    said = Reply(clock=lambda: next(ticks))
    said.feed(f"data: {TOKEN}\n\ndata: [DONE]\n\n".encode())
    assert _endpoint.judge_completion(answered(200, headers=SSE), said, first_seconds=limit)["verdict"] == verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (answered(401), "pass"),
        (answered(403), "pass"),
        (answered(200), "fail"),
        (answered(500), "warn"),
        (problem(_http.TIMEOUT), "not_verified"),
    ],
)
def test_refusal(answer: _http.Answer, verdict: str) -> None:
    assert _endpoint.judge_refusal("no key is refused", answer)["verdict"] == verdict


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ({"/a": answered(404), "/b": answered(401), "/c": answered(403)}, "pass"),
        ({"/a": answered(404), "/metrics": answered(200)}, "fail"),
        ({"/tokenize": answered(405)}, "fail"),
        ({"/a": answered(404), "/b": problem(_http.TIMEOUT)}, "not_verified"),
    ],
)
def test_routes(answers: dict[str, _http.Answer], verdict: str) -> None:
    assert _endpoint.judge_routes(answers)["verdict"] == verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (_http.Answer(status=401, certificate_until=31 * DAY), "pass"),
        (_http.Answer(status=200, certificate_until=29 * DAY), "warn"),
        (problem(_http.UNTRUSTED), "fail"),
        (problem(_http.NO_TLS), "fail"),
        (problem(_http.REFUSED), "not_verified"),
    ],
)
def test_certificate(answer: _http.Answer, verdict: str) -> None:
    assert _endpoint.judge_certificate(answer, now=0.0, days=30)["verdict"] == verdict


@pytest.mark.parametrize(
    ("answer", "hope"),
    [
        (problem(_http.REFUSED), True),
        (problem(_http.UNTRUSTED), False),
        (answered(502), True),
        (answered(401), False),
        (listing(), True),
    ],
)
def test_what_waiting_may_cure(answer: _http.Answer, hope: bool) -> None:
    assert _endpoint.may_get_better(answer) is hope
