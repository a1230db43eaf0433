#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: monitoring_health
short_description: Prove that metrics are read and alerts are sent, and that nothing of it is open
version_added: 0.1.0
description:
  - Asks this node's door for metrics with and without its token, each exporter behind it, and which addresses exporters
    listen on.
  - Where Prometheus runs, asks it for its targets and rules, and whether Alertmanager gets its alerts.
extends_documentation_fragment:
  - gpufleet.inference.proof
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  expect:
    description:
      - What is expected. C(listeners), name to port, must be on loopback; C(targets), as C(job/instance), must be read by
        Prometheus; C(groups), groups of rules, must be evaluated.
    type: dict
    default: {}
  door:
    description:
      - The door, with C(address), C(port), C(name) (in its certificate), C(ca_path), C(token_path) and C(modules).
      - An empty dictionary asks none.
    type: dict
    default: {}
  server:
    description: C(prometheus) and C(alertmanager), their URLs. An empty dictionary asks none.
    type: dict
    default: {}
  wait_seconds:
    description: How long to wait until nothing fails; Prometheus reads each target at its own time.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Prove the door of this node
  gpufleet.inference.monitoring_health:
    door:
      address: 10.77.0.11
      port: 9998
      name: gpufleet-metrics
      ca_path: /etc/gpufleet-monitoring/door.crt
      token_path: /etc/gpufleet-monitoring/token
      modules: [node]
    expect:
      listeners: {node: 9100}
"""

RETURN = r"""
verdict:
  description: The worst verdict.
  returned: always
  type: str
  sample: pass
checks:
  description: One entry per check, with C(name), C(verdict), C(observed), C(expected), C(remedy) and C(source).
  returned: always
  type: list
  elements: dict
facts:
  description: C(alerts), names of the alerts that fire.
  returned: always
  type: dict
"""

import time
import typing as t
import urllib.parse

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _http, _monitoring_judge, _node
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    FAIL,
    NOT_VERIFIED,
    Check,
    finish,
    proof_argument_spec,
)

TIMEOUT_SECONDS = 15.0
PAUSE_SECONDS = 2.0


def ask_door(door: t.Mapping[str, t.Any]) -> list[Check]:
    """Return the checks of the door. Raises OSError when token or certificate cannot be read."""
    with open(door["token_path"], encoding="utf-8") as stream:
        token = stream.read().strip()
    context = _http.trust(door["ca_path"])
    where = _http.Endpoint(True, door["name"], int(door["port"]), door["address"])

    def ask(module: str, key: str | None) -> _http.Answer:
        path = f"/proxy?module={urllib.parse.quote(module)}"
        return _http.exchange(where, path, api_key=key, timeout_seconds=TIMEOUT_SECONDS, context=context)

    return [
        _monitoring_judge.judge_refusal(ask("node", None)),
        *(_monitoring_judge.judge_module(one, ask(one, token)) for one in door["modules"]),
    ]


def ask_server(server: t.Mapping[str, t.Any], expect: t.Mapping[str, t.Any]) -> tuple[list[Check], list[str]]:
    """Return the checks of Prometheus and Alertmanager, and the names of the alerts that fire."""

    def ask(which: str, path: str) -> _http.Answer:
        return _http.exchange(_http.endpoint(server[which]), path, timeout_seconds=TIMEOUT_SECONDS)

    alerts = (ask("prometheus", "/api/v1/alerts").json() or {}).get("data", {}).get("alerts", [])
    return [
        *_monitoring_judge.judge_targets(ask("prometheus", "/api/v1/targets"), expect.get("targets", [])),
        *_monitoring_judge.judge_rules(ask("prometheus", "/api/v1/rules"), expect.get("groups", [])),
        *_monitoring_judge.judge_alertmanager(
            ask("alertmanager", "/-/ready"), ask("prometheus", "/api/v1/alertmanagers")
        ),
    ], sorted({one["labels"]["alertname"] for one in alerts if one["state"] == "firing"})


def look(params: t.Mapping[str, t.Any]) -> tuple[list[Check], list[str]]:
    """Return all checks and the alerts that fire."""
    expect = params["expect"]
    checks = ask_door(params["door"]) if params["door"] else []
    checks += _monitoring_judge.judge_listeners(expect.get("listeners", {}), _node.listening())
    more, alerts = ask_server(params["server"], expect) if params["server"] else ([], [])
    return checks + more, alerts


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            proof_argument_spec(),
            door={"type": "dict", "default": {}},
            server={"type": "dict", "default": {}},
            wait_seconds={"type": "int", "default": 0},
        ),
        supports_check_mode=True,
    )
    end = time.monotonic() + module.params["wait_seconds"]
    while True:
        try:
            checks, alerts = look(module.params)
        except (OSError, ValueError, KeyError) as error:
            module.fail_json(msg=f"Monitoring cannot be asked: {error}. Run the role monitoring on this node first.")
        if time.monotonic() >= end or not any(one["verdict"] in (FAIL, NOT_VERIFIED) for one in checks):
            finish(module, checks, {"alerts": alerts})
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
