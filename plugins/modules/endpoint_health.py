#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint_health
short_description: Prove that an OpenAI-compatible endpoint serves, the way its clients use it
version_added: 0.1.0
description:
  - Asks for the list of models and for one bounded, streamed chat completion; an endpoint is ready when at least one
    token has arrived. Status 200 on C(/health) alone proves nothing, an engine answers it while it cannot generate.
  - Verifies TLS, and on request that keys are asked for and that the engine's other routes are closed.
  - Tells apart a refused connection, a hang, an untrusted certificate, a refused key, a missing model, an error of the
    engine, a stream that broke off and a stream without tokens, with a remedy for each.
  - Runs on a node or, with C(delegate_to=localhost), on the controller. It needs nothing but Python.
extends_documentation_fragment:
  - gpufleet.inference.proof
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  url:
    description: Scheme, host and port of the endpoint, without C(/v1).
    type: str
    required: true
  connect_to:
    description: Address to connect to in place of the URL's host. The certificate must still name the URL's host.
    type: str
  api_key:
    description: Key to send.
    type: str
  api_key_path:
    description:
      - File with the key to send, where the module runs. Its first line counts, C(key) or C(name:key).
    type: path
  ca_path:
    description: Certificates to trust, in PEM, where the module runs. Without it, those of the system.
    type: path
  model:
    description: Name of the model that must be listed and is asked. Without it, the first listed one.
    type: str
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
    description:
      - How long to wait for the endpoint to get ready.
      - What waiting does not cure, such as a refused key, ends the wait.
    type: int
    default: 0
  check_auth:
    description: Whether to check that requests without a key, and with a wrong one, are refused.
    type: bool
    default: true
  forbidden_routes:
    description: Paths that must not be answered by the engine. They are asked for with GET and with the key.
    type: list
    elements: str
    default: []
  expect:
    description:
      - What is expected beyond an answer.
      - C(certificate_days_left) is for how many days the certificate must still be good, 30 when not given.
      - C(first_token_seconds) is the longest time to the first token.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Prove the endpoint from the controller
  gpufleet.inference.endpoint_health:
    url: https://10.77.0.11
    ca_path: inventories/lab/secrets/gateway-lab1.crt
    api_key_path: inventories/lab/secrets/gateway_api_key
    model: deepseek
    wait_seconds: 120
    forbidden_routes: [/metrics, /docs]
  delegate_to: localhost

- name: Look at an engine behind its gateway, on its own node
  gpufleet.inference.endpoint_health:
    url: http://127.0.0.1:8000
    check_auth: false
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
      sample: streamed completion
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
  description: Figures of the endpoint.
  returned: always
  type: dict
  sample:
    url: https://10.77.0.11
    models: [deepseek]
    model: deepseek
    tokens: 8
    first_token_seconds: 0.11
    seconds: 0.42
    text: Hello!
    finish_reason: stop
    certificate_days_left: 3649
    waited_seconds: 0.0
    progress: [{after_seconds: 0.0, state: ready}]
"""

import dataclasses
import ssl
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _endpoint, _http
from ansible_collections.gpufleet.inference.plugins.module_utils._sse import Reply
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    PASS,
    Check,
    finish,
    proof_argument_spec,
    sentence,
)

EXPECTATIONS = {"certificate_days_left": int, "first_token_seconds": float}
PAUSE_SECONDS = 2.0
WRONG_KEY = "gpufleet-probe-with-a-wrong-key"


@dataclasses.dataclass
class Attempt:
    """One try to get a token: the answers, and the checks that follow from them."""

    models: _http.Answer
    completion: _http.Answer | None
    reply: Reply
    model: str | None
    checks: list[Check]

    @property
    def ready(self) -> bool:
        return all(one["verdict"] == PASS for one in self.checks)

    @property
    def hopeless(self) -> bool:
        return not _endpoint.may_get_better(self.completion or self.models)


def key_of(text: str) -> str:
    """Return the first key of a key file: ``key`` or ``name:key``. Raises ValueError when there is none."""
    for line in text.splitlines():
        if line.strip() and not line.strip().startswith("#"):
            return line.strip().rpartition(":")[2]
    raise ValueError("it holds no key")


def expectations(wanted: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the numbers of ``expect``. Raises ValueError that names every mistake."""
    mistakes = [f"{name} is unknown" for name in wanted if name not in EXPECTATIONS]
    numbers: dict[str, t.Any] = {}
    for name, kind in EXPECTATIONS.items():
        if wanted.get(name) is not None:
            try:
                numbers[name] = kind(wanted[name])
            except (TypeError, ValueError):
                mistakes.append(f"{name} must be a number, not {wanted[name]!r}")
    if mistakes:
        raise ValueError(f"expect: {'; '.join(mistakes)}. It may hold {' and '.join(EXPECTATIONS)}.")
    return numbers


class Probe:
    """The requests of one run of the module."""

    def __init__(self, params: dict[str, t.Any], expect: dict[str, t.Any]) -> None:
        self.params = params
        self.expect = expect
        self.where = _http.endpoint(params["url"], params["connect_to"])
        self.context = _http.trust(params["ca_path"]) if self.where.https else None
        self.key = params["api_key"]
        if self.key is None and params["api_key_path"]:
            with open(params["api_key_path"], encoding="utf-8") as stream:
                self.key = key_of(stream.read())

    def ask(self, path: str, key: str | None, **more: t.Any) -> _http.Answer:
        """Send one request with all that is common to them."""
        seconds = self.params["timeout_seconds"]
        return _http.exchange(self.where, path, key, timeout_seconds=seconds, context=self.context, **more)

    def attempt(self) -> Attempt:
        """Ask for the models and, when the wanted one is listed, for a completion."""
        reply = Reply()
        models = self.ask(_endpoint.MODELS, self.key)
        listed = _endpoint.judge_models(models, self.params["model"])
        model = self.params["model"] or next(iter(_endpoint.listed_models(models) or []), None)
        if listed["verdict"] != PASS:
            return Attempt(models, None, reply, model, [listed, *_endpoint.unreached(["streamed completion"])])
        payload = {
            "model": model,
            "messages": [{"role": "user", "content": self.params["prompt"]}],
            "max_tokens": self.params["max_tokens"],
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        reply = Reply()
        completion = self.ask(_endpoint.COMPLETIONS, self.key, payload=payload, on_piece=reply.feed)
        judged = _endpoint.judge_completion(completion, reply, self.expect.get("first_token_seconds"))
        return Attempt(models, completion, reply, model, [listed, judged])

    def wait(self) -> tuple[Attempt, list[dict[str, t.Any]]]:
        """Attempt until ready, hopeless or out of time. Also returns each new state with the seconds it came after."""
        start = time.monotonic()
        progress: list[dict[str, t.Any]] = []
        while True:
            attempt = self.attempt()
            passed = time.monotonic() - start
            state = "ready" if attempt.ready else sentence(next(c for c in attempt.checks if c["verdict"] != PASS))
            if not progress or progress[-1]["state"] != state:
                progress.append({"after_seconds": round(passed, 1), "state": state})
            if attempt.ready or attempt.hopeless or passed + PAUSE_SECONDS > self.params["wait_seconds"]:
                return attempt, progress
            time.sleep(PAUSE_SECONDS)

    def closed(self, reached: bool) -> list[Check]:
        """Return the checks of what must not pass."""
        routes = self.params["forbidden_routes"]
        names = ["no key is refused", "wrong key is refused"] if self.params["check_auth"] else []
        if not reached:
            return _endpoint.unreached(names + (["engine routes are closed"] if routes else []))
        keys = (None, WRONG_KEY)
        checks = [_endpoint.judge_refusal(name, self.ask(_endpoint.MODELS, key)) for name, key in zip(names, keys)]
        if routes:
            checks.append(_endpoint.judge_routes({path: self.ask(path, self.key) for path in routes}))
        return checks

    def run(self) -> tuple[list[Check], dict[str, t.Any]]:
        """Return all checks and facts."""
        attempt, progress = self.wait()
        now = time.time()
        checks = list(attempt.checks)
        if self.where.https:
            days = self.expect.get("certificate_days_left", 30)
            checks.insert(0, _endpoint.judge_certificate(attempt.models, now, days))
        checks += self.closed(reached=attempt.models.status is not None)
        reply = attempt.reply
        return checks, {
            "url": self.params["url"],
            "models": _endpoint.listed_models(attempt.models) or [],
            "model": attempt.model,
            "tokens": reply.tokens,
            "first_token_seconds": reply.first_seconds,
            "seconds": round(reply.seconds, 3),
            "text": reply.text[:200],
            "finish_reason": reply.finish_reason,
            "certificate_days_left": _endpoint.days_left(attempt.models, now),
            "waited_seconds": progress[-1]["after_seconds"],
            "progress": progress,
        }


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            proof_argument_spec(),
            url={"type": "str", "required": True},
            connect_to={"type": "str"},
            api_key={"type": "str", "no_log": True},
            api_key_path={"type": "path", "no_log": False},
            ca_path={"type": "path"},
            model={"type": "str"},
            prompt={"type": "str", "default": "Say hello."},
            max_tokens={"type": "int", "default": 8},
            timeout_seconds={"type": "int", "default": 60},
            wait_seconds={"type": "int", "default": 0},
            check_auth={"type": "bool", "default": True},
            forbidden_routes={"type": "list", "elements": "str", "default": []},
        ),
        mutually_exclusive=[("api_key", "api_key_path")],
        supports_check_mode=True,
    )
    try:
        probe = Probe(module.params, expectations(module.params["expect"]))
    except (ValueError, ssl.SSLError) as error:
        module.fail_json(msg=f"The endpoint cannot be asked: {error}")
    except OSError as error:
        module.fail_json(msg=f"The endpoint cannot be asked: {error.filename or 'ca_path'}: {error.strerror}")
    checks, facts = probe.run()
    finish(module, checks, facts)


if __name__ == "__main__":
    main()
