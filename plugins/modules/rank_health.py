#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rank_health
short_description: Prove that the ranks of this node are ready, or say why not
version_added: 0.1.0
description:
  - Looks at the supervisor's unit, at its container and at the last lines of its log, and names cause and remedy.
  - Can wait for readiness. A rank that has been given up is not waited for, nor one that its engine refuses for its model
    or an option; C(facts) says C(no use waiting) of that one.
extends_documentation_fragment:
  - gpufleet.inference.proof
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  ranks:
    description: The ranks to look at.
    type: list
    elements: dict
    required: true
    suboptions:
      unit:
        description: Name of the systemd unit.
        type: str
        required: true
      container:
        description: Name of the container.
        type: str
        required: true
  wait_seconds:
    description: How long to wait until all ranks are ready.
    type: int
    default: 0
  expect:
    description: Not used; every proof module has it.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Wait until this member of the Ray cluster is ready
  gpufleet.inference.rank_health:
    ranks:
      - unit: gpufleet-ray.service
        container: gpufleet-ray
    wait_seconds: 180
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
  description: Unit to status text.
  returned: always
  type: dict
"""

import re
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_socket
from ansible_collections.gpufleet.inference.plugins.module_utils._command import bounded
from ansible_collections.gpufleet.inference.plugins.module_utils._rank import judge, lasts
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    PASS,
    Check,
    finish,
    proof_argument_spec,
)

PROPERTIES = "LoadState,ActiveState,SubState,UnitFileState,StatusText,NRestarts"

#: What a supervisor says when there is nothing to wait for, or little: it goes on trying, but somebody should look.
HOPELESS = re.compile(r"given up|no use waiting|failed (?:[3-9]|\d\d+) times")

#: A supervisor that ended so often without a word will not do better.
MOST_RESTARTS = 5

#: Lines of a rank's log that are searched for the cause.
LOG_LINES = 400

#: Seconds between two looks while waiting.
PAUSE_SECONDS = 2


def look_at_unit(unit: str) -> dict[str, str] | None:
    """Return systemd's properties of the unit, or None when systemd did not answer."""
    shown = bounded(["systemctl", "show", f"--property={PROPERTIES}", unit])
    return dict(line.partition("=")[::2] for line in shown.stdout.splitlines()) if shown.ok else None


def status(shown: dict[str, str]) -> str:
    """Return what the supervisor says; that it is given up when it ends again and again without a word."""
    restarts = int(shown.get("NRestarts") or 0)
    if not shown.get("StatusText") and shown.get("SubState") != "running" and restarts >= MOST_RESTARTS:
        return f"given up: the supervisor ended {restarts} times at once"
    return shown.get("StatusText", "")


def look_at_container(name: str) -> tuple[dict[str, t.Any] | None, str]:
    """Return (Docker's State of the container, None when there is none; why Docker could not be asked)."""
    try:
        status, answer = _docker_socket.get(f"/containers/{name}/json")
    except _docker_socket.DockerUnreachable as error:
        return None, str(error)
    if status == 200:
        return answer["State"], ""
    return None, "" if status == 404 else f"Docker answered {status}: {answer}"


def look(ranks: list[dict[str, str]]) -> tuple[list[Check], dict[str, str]]:
    """Return the checks of all ranks and {unit: status text}. The log is read of those only that are not ready."""
    checks: list[Check] = []
    facts: dict[str, str] = {}
    for rank in ranks:
        shown, log = look_at_unit(rank["unit"]), ""
        container, problem = look_at_container(rank["container"])
        facts[rank["unit"]] = status(shown or {})
        if container and not facts[rank["unit"]].startswith("ready"):
            read = bounded(["docker", "logs", "--tail", str(LOG_LINES), rank["container"]], timeout_seconds=20)
            log = read.stdout + read.stderr
        if lasts(facts[rank["unit"]], log):
            facts[rank["unit"]] = f"no use waiting: {facts[rank['unit']]}"
        checks += judge(rank["unit"], shown, container, log, problem)
    return checks, facts


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            proof_argument_spec(),
            ranks={
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "unit": {"type": "str", "required": True},
                    "container": {"type": "str", "required": True},
                },
            },
            wait_seconds={"type": "int", "default": 0},
        ),
        supports_check_mode=True,
    )
    end = time.monotonic() + module.params["wait_seconds"]
    while True:
        checks, facts = look(module.params["ranks"])
        ready = all(one["verdict"] == PASS for one in checks)
        hopeless = any(HOPELESS.search(status) for status in facts.values())
        if ready or hopeless or time.monotonic() >= end:
            finish(module, checks, facts)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
