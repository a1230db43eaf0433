#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ray_health
short_description: Prove that a Ray cluster is whole, and closed to everybody else
version_added: 0.1.0
description:
  - Asks Ray's dashboard, on the loopback of the head, who is alive, and whether it refuses those without the token.
  - Tries ports that must be closed, from wherever the module runs. On the controller it shows what an outsider sees.
extends_documentation_fragment:
  - gpufleet.inference.proof
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  url:
    description: URL of the dashboard; without it only ports are tried.
    type: str
  token_path:
    description: File with the token, where the module runs.
    type: path
  wait_seconds:
    description: How long to wait until all members have joined.
    type: int
    default: 0
  expect:
    description:
      - C(addresses) are those of all members, C(gpus) is the sum of their GPUs.
      - C(closed) is a list of C(address), C(port) and C(what) that an outsider must not reach, C(members) the addresses
        from which trying proves nothing.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Ask the head who has joined
  gpufleet.inference.ray_health:
    url: http://127.0.0.1:8265
    token_path: /etc/gpufleet/ray_token
    expect:
      addresses: [10.77.0.11, 10.77.0.12]
      gpus: 16
"""

RETURN = r"""
verdict:
  description: The worst verdict of all checks.
  returned: always
  type: str
checks:
  description: One entry per statement with name, verdict, observed, expected, remedy, source.
  returned: always
  type: list
  elements: dict
facts:
  description: C(nodes), as Ray lists them.
  returned: always
  type: dict
"""

import pathlib
import socket
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _http
from ansible_collections.gpufleet.inference.plugins.module_utils._ray_judge import (
    judge_authentication,
    judge_closed,
    judge_nodes,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    PASS,
    Check,
    finish,
    proof_argument_spec,
)

NODES = "/api/v0/nodes?detail=true"

#: A port that neither accepts nor refuses within this time counts as filtered.
CONNECT_SECONDS = 2.0

PAUSE_SECONDS = 2


def ask_nodes(url: str, token: str | None) -> tuple[list[dict[str, t.Any]] | None, int | None, str]:
    """Return (nodes, HTTP status, why not) of the dashboard's list of nodes."""
    answer = _http.exchange(_http.endpoint(url), NODES, api_key=token, timeout_seconds=10)
    if answer.problem is not None:
        return None, answer.status, f"{url}: {answer.problem.kind}, {answer.problem.text}"
    if answer.status != 200:
        return None, answer.status, f"{url} answered {answer.status}"
    try:
        return answer.json()["data"]["result"]["result"], 200, ""
    except (KeyError, TypeError):
        return None, 200, f"{url} answered in an unknown form"


def members(url: str, token: str, expect: dict[str, t.Any], wait_seconds: int) -> tuple[list[Check], t.Any]:
    """Return the checks of membership and the nodes; waits until all have joined or the time is up."""
    end = time.monotonic() + wait_seconds
    while True:
        nodes, _status, why = ask_nodes(url, token)
        checks = judge_nodes(nodes, why, expect.get("addresses") or [], expect.get("gpus"))
        if all(one["verdict"] == PASS for one in checks) or time.monotonic() >= end:
            return checks, nodes
        time.sleep(PAUSE_SECONDS)


def connect(address: str, port: int) -> str:
    """Return accepted, refused, timeout or unreachable."""
    try:
        socket.create_connection((address, port), timeout=CONNECT_SECONDS).close()
    except ConnectionRefusedError:
        return "refused"
    except socket.timeout:
        return "timeout"
    except OSError:
        return "unreachable"
    return "accepted"


def own_address(towards: str) -> str:
    """Return the address from which this machine would connect; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((towards, 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            proof_argument_spec(),
            url={"type": "str"},
            token_path={"type": "path", "no_log": False},
            wait_seconds={"type": "int", "default": 0},
        ),
        required_together=[("url", "token_path")],
        supports_check_mode=True,
    )
    expect = module.params["expect"]
    checks: list[Check] = []
    facts: dict[str, t.Any] = {}
    if module.params["url"]:
        try:
            token = pathlib.Path(module.params["token_path"]).read_text(encoding="utf-8").strip()
        except OSError as error:
            module.fail_json(msg=f"The token cannot be read: {error}. Run the ray_cluster role on this node.")
        checks, facts["nodes"] = members(module.params["url"], token, expect, module.params["wait_seconds"])
        _nodes, without, why_without = ask_nodes(module.params["url"], None)
        _nodes, wrong, why_wrong = ask_nodes(module.params["url"], "wrong-" + "0" * 32)
        checks.append(judge_authentication(without, wrong, why_without if without is None else why_wrong))
    for one in expect.get("closed") or []:
        address, port = str(one["address"]), int(one["port"])
        outcome = connect(address, port)
        from_member = own_address(address) in (expect.get("members") or [])
        checks.append(judge_closed(one["what"], f"{address}:{port}", outcome, from_member))
    finish(module, checks, facts)


if __name__ == "__main__":
    main()
