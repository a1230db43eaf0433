# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge an OpenAI-compatible endpoint from what it answered: answers in, checks out, no network.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _http
from ansible_collections.gpufleet.inference.plugins.module_utils._sse import Reply
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    FAIL,
    PASS,
    WARN,
    Check,
    check,
    not_verified,
)

MODELS = "/v1/models"
COMPLETIONS = "/v1/chat/completions"

#: Statuses with which a route is closed. 405, 400 or 422 would mean that the engine itself looked at the request.
CLOSED = (401, 403, 404)

_LOOK_AT_ENGINE = "Look at the engine: systemctl status 'gpufleet-engine-*' and docker logs of its ranks."

PROBLEM_REMEDIES = {
    _http.UNKNOWN_NAME: "Make the host name resolve where this runs, or give an address in connect_to.",
    _http.REFUSED: "Nothing listens there: check the port, and systemctl status gpufleet-gateway on the gateway host.",
    _http.UNREACHABLE: "Check route and firewall between here and the gateway host.",
    _http.TIMEOUT: f"The connection or the engine hangs: check the firewall (packets dropped). {_LOOK_AT_ENGINE}",
    _http.UNTRUSTED: (
        "Give the certificate of the issuer in ca_path, and use a host name or address that the certificate names."
    ),
    _http.NO_TLS: "The port does not speak TLS 1.2 or 1.3: check scheme and port of the URL.",
    _http.BROKEN: f"The connection was cut on its way: something restarted, or a proxy between. {_LOOK_AT_ENGINE}",
    _http.NOT_HTTP: "Another service listens on this port: check the port of the URL.",
}

STATUS_REMEDIES = {
    400: "The engine refuses the request: read its message.",
    401: "Give a key that the gateway knows in api_key or api_key_path.",
    403: "Give a key that the gateway knows in api_key or api_key_path.",
    404: "No such route or model: check the URL (without /v1) and the served name of the model.",
    429: "The endpoint is busy: try again later, or raise its limits.",
}
_SERVER_ERROR = f"The gateway answers, the engine behind it does not serve. {_LOOK_AT_ENGINE}"

#: What waiting does not cure.
_FINAL_PROBLEMS = (_http.UNTRUSTED, _http.NO_TLS, _http.NOT_HTTP)
_FINAL_STATUSES = (400, 401, 403)


def may_get_better(answer: _http.Answer) -> bool:
    """Whether waiting may turn this answer into a good one, as while an engine loads."""
    if answer.problem:
        return answer.problem.kind not in _FINAL_PROBLEMS
    return answer.status not in _FINAL_STATUSES


def bad_answer(name: str, answer: _http.Answer, expected: str, source: str) -> Check | None:
    """Return the failed check of an answer that is not a whole 200, None for one that is."""
    if answer.problem:
        observed = f"{answer.problem.kind}: {answer.problem.text}"
        return check(name, FAIL, observed, expected, PROBLEM_REMEDIES[answer.problem.kind], source)
    if answer.status == 200:
        return None
    status = answer.status or 0
    otherwise = _SERVER_ERROR if status >= 500 else "This is not an OpenAI API: check the URL."
    remedy = STATUS_REMEDIES.get(status, otherwise)
    return check(name, FAIL, f"status {status} {answer.text}".strip(), expected, remedy, source)


def listed_models(answer: _http.Answer) -> list[str] | None:
    """Return the ids of an answer of ``/v1/models``; None when it is not such an answer."""
    body = answer.json()
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list):
        return None
    return [str(item.get("id")) for item in data if isinstance(item, dict)]


def judge_models(answer: _http.Answer, model: str | None) -> Check:
    """Check that the endpoint lists ``model``, or any model when it is None."""
    name, expected = "model is listed", model or "at least one model"
    bad = bad_answer(name, answer, expected, MODELS)
    if bad:
        return bad
    models = listed_models(answer)
    if models is None:
        return check(name, FAIL, f"not a list of models: {answer.text}", expected, STATUS_REMEDIES[404], MODELS)
    good = model in models if model else bool(models)
    remedy = "Ask for a listed model, or serve this one: its name is served_name of the deployment."
    return check(name, PASS if good else FAIL, ", ".join(models) or "no model", expected, remedy, MODELS)


def judge_completion(answer: _http.Answer, reply: Reply, first_seconds: float | None = None) -> Check:
    """Check that a streamed completion brought at least one token and came to its end.

    ``first_seconds`` is the longest time to the first token that is expected, in seconds.
    """
    name, expected, source = "streamed completion", "at least one token, and the end of the stream", COMPLETIONS
    observed = describe(reply)
    if answer.status == 200 and answer.problem:
        remedy = PROBLEM_REMEDIES[answer.problem.kind]
        return check(name, FAIL, f"{answer.problem.kind} after {observed}", expected, remedy, source)
    bad = bad_answer(name, answer, expected, source)
    if bad:
        return bad
    kind = answer.headers.get("content-type", "")
    if not kind.startswith("text/event-stream"):
        remedy = "The endpoint does not stream: check the engine, and what stands between."
        return check(name, FAIL, f"content type {kind or 'missing'}", "text/event-stream", remedy, source)
    if reply.error:
        observed = f"error in the stream after {observed}: {reply.error}"
        return check(name, FAIL, observed, expected, _LOOK_AT_ENGINE, source)
    if not reply.whole:
        remedy = PROBLEM_REMEDIES[_http.BROKEN]
        return check(name, FAIL, f"the stream broke off after {observed}", expected, remedy, source)
    if reply.tokens == 0:
        return check(name, FAIL, "status 200 without a token", expected, _LOOK_AT_ENGINE, source)
    if first_seconds is not None and (reply.first_seconds is None or reply.first_seconds > first_seconds):
        remedy = "The engine is slow or busy: look at its load, or expect more time."
        return check(name, FAIL, observed, f"first token within {first_seconds:g} s", remedy, source)
    return check(name, PASS, observed, expected, source=source)


def describe(reply: Reply) -> str:
    """Return tokens and times of a reply as text."""
    text = f"{reply.tokens} token{'' if reply.tokens == 1 else 's'} in {reply.seconds:.2f} s"
    return text if reply.first_seconds is None else f"{text}, the first after {reply.first_seconds:.2f} s"


def judge_refusal(name: str, answer: _http.Answer) -> Check:
    """Check that a request without a good key was refused."""
    expected = "status 401"
    if answer.problem:
        return not_verified(name, f"{answer.problem.kind}: {answer.problem.text}", expected, source=MODELS)
    if answer.status in (401, 403):
        return check(name, PASS, f"status {answer.status}", expected, source=MODELS)
    remedy = "Anybody who reaches the endpoint may use it: put the gateway in front, and check its key file."
    verdict = FAIL if answer.status is not None and answer.status < 400 else WARN
    return check(name, verdict, f"status {answer.status}", expected, remedy, MODELS)


def judge_routes(answers: dict[str, _http.Answer]) -> Check:
    """Check that none of the routes is answered by the engine."""
    name, expected = "engine routes are closed", "401, 403 or 404 on each"
    open_routes = [f"{path} {a.status}" for path, a in answers.items() if a.status and a.status not in CLOSED]
    unknown = [path for path, a in answers.items() if a.status is None]
    source = ", ".join(answers)
    if open_routes:
        remedy = "Reach the engine through the gateway only, which lets /v1/ and /health pass."
        return check(name, FAIL, f"open: {', '.join(open_routes)}", expected, remedy, source)
    if unknown:
        return not_verified(name, f"no answer on {', '.join(unknown)}", expected, source=source)
    return check(name, PASS, f"{len(answers)} routes closed", expected, source=source)


def judge_certificate(answer: _http.Answer, now: float, days: int) -> Check:
    """Check that TLS was verified and that the certificate is good for ``days`` more days.

    ``now`` is seconds since 1970.
    """
    name, expected = "TLS certificate", f"trusted, {days} days or more left"
    if answer.certificate_until is None:
        problem = answer.problem or _http.Problem(_http.BROKEN, "no certificate was read")
        if problem.kind in (_http.UNTRUSTED, _http.NO_TLS):
            return check(name, FAIL, f"{problem.kind}: {problem.text}", expected, PROBLEM_REMEDIES[problem.kind])
        return not_verified(name, f"{problem.kind}: {problem.text}", expected, PROBLEM_REMEDIES[problem.kind])
    left = days_left(answer, now)
    remedy = "Renew the certificate; the gateway's own is made anew when its file on the controller is removed."
    verdict = PASS if left is not None and left >= days else WARN
    return check(name, verdict, f"trusted, {left} days left", expected, remedy)


def days_left(answer: _http.Answer, now: float) -> int | None:
    """Return whole days until the certificate ends, None without TLS."""
    return None if answer.certificate_until is None else int((answer.certificate_until - now) // 86400)


def unreached(names: t.Iterable[str]) -> list[Check]:
    """Return the checks that could not be made because no request was answered."""
    return [not_verified(name, "the endpoint did not answer", remedy="Cure the failed check first.") for name in names]
