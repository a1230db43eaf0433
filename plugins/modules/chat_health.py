#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: chat_health
short_description: Prove that a chat page serves, the way its users use it
version_added: 0.1.0
description:
  - Asks an Open WebUI for its page, for a login, for the models of the deployments and for one bounded, streamed reply through
    the page, and that sign-up is closed and nothing is answered without a login.
  - Makes no account and no chat. It needs nothing but Python, on a node or, with C(delegate_to=localhost), on the controller.
extends_documentation_fragment:
  - gpufleet.inference.proof
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  url:
    description: Scheme, host and port of the page.
    type: str
    required: true
  connect_to:
    description: Address to connect to in place of the URL's host. The certificate must still name the URL's host.
    type: str
  ca_path:
    description: Certificates to trust, in PEM, where the module runs. Without it, those of the system.
    type: path
  email:
    description: Address of the account that logs in.
    type: str
    required: true
  password:
    description: Password of that account.
    type: str
    required: true
  models:
    description: Names of the models that must be listed. The first one, or without any the first listed one, is asked.
    type: list
    elements: str
    default: []
  prompt:
    description: What to ask.
    type: str
    default: Say hello.
  max_tokens:
    description: How many tokens to generate at most.
    type: int
    default: 8
  timeout_seconds:
    description: Longest time for one request, its whole answer included.
    type: int
    default: 60
  wait_seconds:
    description: How long to wait until the page has started.
    type: int
    default: 0
  expect:
    description:
      - What is expected beyond an answer. C(certificate_days_left) is for how many days the certificate must still be good,
        30 when not given.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Prove the chat page from the controller
  gpufleet.inference.chat_health:
    url: https://10.77.0.11:8443
    ca_path: inventories/lab/.secrets/gateway-lab1.crt
    email: admin@localhost.localdomain
    password: "{{ lookup('ansible.builtin.file', 'inventories/lab/.secrets/chat_ui_admin_password') }}"
    models: [deepseek]
    wait_seconds: 120
  delegate_to: localhost
"""

RETURN = r"""
verdict:
  description: The worst verdict of the checks.
  returned: always
  type: str
  sample: pass
checks:
  description: One entry per check.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What was looked at.
      type: str
      sample: streamed reply
    verdict:
      description: C(pass), C(warn), C(not_verified) or C(fail).
      type: str
    observed:
      description: What was seen.
      type: str
      sample: 8 tokens in 0.42 s, the first after 0.11 s
    expected:
      description: What was expected.
      type: str
    remedy:
      description: What to do about it.
      type: str
    source:
      description: Where it was looked up.
      type: str
facts:
  description: Figures of the page.
  returned: always
  type: dict
  sample:
    url: https://10.77.0.11:8443
    models: [deepseek]
    model: deepseek
    tokens: 8
    first_token_seconds: 0.11
    waited_seconds: 12.0
"""

import ssl
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _chat, _endpoint, _http
from ansible_collections.gpufleet.inference.plugins.module_utils._sse import Reply
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    PASS,
    Check,
    finish,
    proof_argument_spec,
)

PAUSE_SECONDS = 1.0
REPLY = "streamed reply"


def days_wanted(expect: dict[str, t.Any]) -> int:
    """Return for how many days the certificate must be good. Raises ValueError for an unknown or wrong expectation."""
    unknown = sorted(set(expect) - {"certificate_days_left"})
    if unknown:
        raise ValueError(f"expect: {', '.join(unknown)} is unknown. It may hold certificate_days_left.")
    days = expect.get("certificate_days_left", 30)
    if isinstance(days, bool) or not isinstance(days, int):
        raise ValueError(f"expect: certificate_days_left must be a number of days, not {days!r}.")
    return days


class Probe:
    """The requests of one run of the module."""

    def __init__(self, params: dict[str, t.Any]) -> None:
        self.params = params
        self.days = days_wanted(params["expect"])
        self.where = _http.endpoint(params["url"], params["connect_to"])
        self.context = _http.trust(params["ca_path"]) if self.where.https else None

    def ask(self, path: str, token: str | None = None, **more: t.Any) -> _http.Answer:
        """Send one request with all that is common to them."""
        seconds = self.params["timeout_seconds"]
        return _http.exchange(self.where, path, token, timeout_seconds=seconds, context=self.context, **more)

    def wait(self) -> float:
        """Ask until the page has started, what is wrong cannot get better or time is up; return the seconds that took."""
        start = time.monotonic()
        while True:
            answer = self.ask(_chat.READY)
            passed = time.monotonic() - start
            over = passed + PAUSE_SECONDS > self.params["wait_seconds"]
            if _chat.is_ready(answer) or not _endpoint.may_get_better(answer) or over:
                return passed
            time.sleep(PAUSE_SECONDS)

    def reply(self, model: str, token: str) -> tuple[Check, Reply]:
        """Ask for one streamed reply, as the page does for its users."""
        reply = Reply()
        payload = {
            "model": model,
            "messages": [{"role": "user", "content": self.params["prompt"]}],
            "max_tokens": self.params["max_tokens"],
            "stream": True,
        }
        answer = self.ask(_chat.COMPLETIONS, token, payload=payload, on_piece=reply.feed)
        return dict(_endpoint.judge_completion(answer, reply), name=REPLY, source=_chat.COMPLETIONS), reply

    def as_user(self) -> tuple[list[Check], dict[str, t.Any]]:
        """Log in, list the models, get a reply; return checks and facts."""
        answer = self.ask(_chat.SIGN_IN, payload={"email": self.params["email"], "password": self.params["password"]})
        token, wanted = _chat.token_of(answer), self.params["models"]
        checks = [_chat.judge_sign_in(answer)]
        facts: dict[str, t.Any] = {"models": [], "model": None, "tokens": 0, "first_token_seconds": None}
        if not token:
            return checks + _chat.unreached(["models are listed", REPLY]), facts
        answer = self.ask(_chat.MODELS, token)
        checks.append(_chat.judge_models(answer, wanted))
        facts["models"] = _endpoint.listed_models(answer) or []
        facts["model"] = next(iter(wanted or facts["models"]), None)
        if checks[-1]["verdict"] != PASS:
            return checks + _chat.unreached([REPLY]), facts
        judged, reply = self.reply(facts["model"], token)
        facts.update(tokens=reply.tokens, first_token_seconds=reply.first_seconds)
        return [*checks, judged], facts

    def run(self) -> tuple[list[Check], dict[str, t.Any]]:
        """Return all checks and facts."""
        waited = round(self.wait(), 1)
        page = self.ask(_chat.PAGE)
        checks = [_endpoint.judge_certificate(page, time.time(), self.days)] if self.where.https else []
        checks.append(_chat.judge_page(page))
        checks.append(_chat.judge_sign_up(self.ask(_chat.SIGN_UP, payload=_chat.NO_ACCOUNT)))
        checks.append(_chat.judge_anonymous(self.ask(_chat.MODELS)))
        found, facts = self.as_user()
        return checks + found, {"url": self.params["url"], "waited_seconds": waited, **facts}


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            proof_argument_spec(),
            url={"type": "str", "required": True},
            connect_to={"type": "str"},
            ca_path={"type": "path"},
            email={"type": "str", "required": True},
            password={"type": "str", "required": True, "no_log": True},
            models={"type": "list", "elements": "str", "default": []},
            prompt={"type": "str", "default": "Say hello."},
            max_tokens={"type": "int", "default": 8},
            timeout_seconds={"type": "int", "default": 60},
            wait_seconds={"type": "int", "default": 0},
        ),
        supports_check_mode=True,
    )
    try:
        probe = Probe(module.params)
    except (ValueError, ssl.SSLError) as error:
        module.fail_json(msg=f"The chat page cannot be asked: {error}")
    except OSError as error:
        module.fail_json(msg=f"The chat page cannot be asked: {error.filename or 'ca_path'}: {error.strerror}")
    checks, facts = probe.run()
    finish(module, checks, facts)


if __name__ == "__main__":
    main()
