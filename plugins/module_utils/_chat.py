# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a chat page (Open WebUI) from what it answered: answers in, checks out, no network.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _endpoint, _http
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    FAIL,
    PASS,
    Check,
    check,
    not_verified,
)

PAGE = "/"
READY = "/ready"
MODELS = "/api/models"
SIGN_IN = "/api/v1/auths/signin"
SIGN_UP = "/api/v1/auths/signup"
COMPLETIONS = "/api/chat/completions"

#: No address, so that an open sign-up refuses it (400) and no account comes of the question; a closed one answers 403.
NO_ACCOUNT = {"name": "gpufleet probe", "email": "no address", "password": "gpufleet-probe"}

_LOOK_AT_PAGE = "Look at the page: systemctl status gpufleet-chat and journalctl -u gpufleet-chat on its host."


def is_ready(answer: _http.Answer) -> bool:
    """Whether the page has started: its database is open and its first account is made."""
    return answer.problem is None and answer.status == 200


def judge_page(answer: _http.Answer) -> Check:
    """Check that the page itself comes."""
    name, expected = "page answers", "status 200 with HTML"
    if answer.problem:
        kind = answer.problem.kind
        return check(name, FAIL, f"{kind}: {answer.problem.text}", expected, _endpoint.PROBLEM_REMEDIES[kind], PAGE)
    kind = answer.headers.get("content-type", "no content type")
    good = answer.status == 200 and kind.startswith("text/html")
    return check(name, PASS if good else FAIL, f"status {answer.status}, {kind}", expected, _LOOK_AT_PAGE, PAGE)


def judge_sign_up(answer: _http.Answer) -> Check:
    """Check that strangers cannot make an account. ``answer`` is that to ``NO_ACCOUNT``."""
    name, expected = "sign-up is closed", "status 403"
    if answer.status is None:
        return not_verified(name, _why(answer), expected, _LOOK_AT_PAGE, SIGN_UP)
    if answer.status == 403:
        return check(name, PASS, "status 403", expected, source=SIGN_UP)
    if answer.status == 400:
        remedy = (
            "Anybody may make an account, the first one becomes administrator: remove ENABLE_SIGNUP from chat_ui_environment, "
            "and see in the journal of gpufleet-chat why there is no first account."
        )
        return check(name, FAIL, "status 400: the request was looked at", expected, remedy, SIGN_UP)
    return not_verified(name, f"status {answer.status} {answer.text}".strip(), expected, _LOOK_AT_PAGE, SIGN_UP)


def judge_anonymous(answer: _http.Answer) -> Check:
    """Check that the page's API asks for a login."""
    name, expected = "API without a login is refused", "status 401"
    if answer.status is None:
        return not_verified(name, _why(answer), expected, _LOOK_AT_PAGE, MODELS)
    if answer.status in (401, 403):
        return check(name, PASS, f"status {answer.status}", expected, source=MODELS)
    if answer.status >= 500:
        return not_verified(name, f"status {answer.status}", expected, _LOOK_AT_PAGE, MODELS)
    remedy = "Anybody who reaches the page may use it: remove WEBUI_AUTH from chat_ui_environment."
    return check(name, FAIL, f"status {answer.status}", expected, remedy, MODELS)


def token_of(answer: _http.Answer) -> str:
    """Return the token of a login, an empty text when there is none."""
    body = answer.json() if answer.status == 200 else None
    token = body.get("token") if isinstance(body, dict) else None
    return token if isinstance(token, str) else ""


def judge_sign_in(answer: _http.Answer) -> Check:
    """Check that the first administrator can log in. ``observed`` never holds the answer of a login, as a token is in it."""
    name, expected = "login", "a token"
    if answer.status is None:
        return not_verified(name, _why(answer), expected, _LOOK_AT_PAGE, SIGN_IN)
    if token_of(answer):
        return check(name, PASS, "a token", expected, source=SIGN_IN)
    if answer.status == 429:
        remedy = "Too many logins were tried for this address: wait three minutes, then run this again."
        return not_verified(name, "status 429", expected, remedy, SIGN_IN)
    if answer.status in (400, 401, 403):
        remedy = (
            "Write the administrator's present password into the file chat_ui_admin_password_path on the controller; "
            "changing the file does not change the account."
        )
        return check(name, FAIL, f"status {answer.status}: address or password is refused", expected, remedy, SIGN_IN)
    return check(name, FAIL, f"status {answer.status} without a token", expected, _LOOK_AT_PAGE, SIGN_IN)


def judge_models(answer: _http.Answer, wanted: t.Sequence[str]) -> Check:
    """Check that the page lists ``wanted``, the names by which the deployments are served; at least one when none is named."""
    name, expected = "models are listed", ", ".join(wanted) or "at least one model"
    bad = _endpoint.bad_answer(name, answer, expected, MODELS)
    if bad:
        return dict(bad, remedy=_LOOK_AT_PAGE)
    listed = _endpoint.listed_models(answer)
    if listed is None:
        return check(name, FAIL, "not a list of models", expected, _LOOK_AT_PAGE, MODELS)
    missing = [one for one in wanted if one not in listed]
    good = not missing if wanted else bool(listed)
    remedy = "The gateway does not list them, or refuses the page's key or certificate: ask it as docs/chat.md says."
    return check(name, PASS if good else FAIL, ", ".join(listed) or "no model", expected, remedy, MODELS)


def unreached(names: t.Iterable[str]) -> list[Check]:
    """Return the checks that could not be made because an earlier one failed."""
    return [not_verified(name, "not asked", remedy="Cure the failed check first.") for name in names]


def _why(answer: _http.Answer) -> str:
    return f"{answer.problem.kind}: {answer.problem.text}" if answer.problem else "no answer"
