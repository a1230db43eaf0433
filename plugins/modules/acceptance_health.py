#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: acceptance_health
short_description: Tell what the last acceptance said about nodes
version_added: 0.1.0
description:
  - Reads C(acceptance.json), the judged figures of a burn-in, or C(load_test.json), those of a load test whose nodes are its targets,
    and gives one verdict per node and kind of figure.
  - Runs where the reports are, which is the controller. It measures nothing. A node that the report does not know is
    C(not_verified), and so is every node when there is no report.
extends_documentation_fragment:
  - gpufleet.inference.proof
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  path:
    description: The report.
    type: path
    required: true
  remedy:
    description: What to do when the report does not tell about a node.
    type: str
    default: Run playbooks/burn_in.yml.
  nodes:
    description: The names of the nodes to tell about. An empty name stands for what was said about the fleet as a whole.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Prove that a node passed its acceptance
  gpufleet.inference.acceptance_health:
    path: /srv/gpufleet/reports/acceptance/latest.json
    nodes: ["{{ inventory_hostname }}"]
    strict: true
  delegate_to: localhost
"""

RETURN = r"""
verdict:
  description: The worst verdict of the checks.
  returned: always
  type: str
  sample: pass
checks:
  description: One entry per kind of figure.
  returned: always
  type: list
  elements: dict
  sample:
    - name: GEMM bf16 8192
      verdict: pass
      observed: 8 values, 140.4 to 141.6 TFLOP/s
      expected: at least 128 TFLOP/s
      remedy: ""
      source: torch-performance-test-data issue 77
facts:
  description: When the report was C(started), its C(tier), and the C(verdict) over all nodes.
  returned: always
  type: dict
"""

import json
import pathlib
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _verdict

REMEDY = "Run playbooks/burn_in.yml."


def judge(report: t.Any, problem: str, nodes: t.Sequence[str], path: str, remedy: str = REMEDY) -> list[_verdict.Check]:
    """Return the checks of a report about nodes. ``problem``: why there is no report, or empty."""
    try:
        known = set(report["fleet"]) | {""} if not problem else set()
        said = [(one["node"], _checked(one, path)) for one in report["statements"]] if not problem else []
    except (TypeError, KeyError, ValueError) as error:
        problem = f"{path} is no such report: {type(error).__name__} {error}"
    if problem:
        return [_verdict.not_verified("acceptance", problem, "a report", remedy, path)]
    missing = [
        _verdict.not_verified("acceptance", f"the report does not know {name}", name, remedy, path)
        for name in nodes
        if name not in known
    ]
    return missing + [check for node, check in said if node in nodes]


def _checked(one: t.Mapping[str, t.Any], path: str) -> _verdict.Check:
    return _verdict.check(
        one["name"], one["verdict"], one["observed"], one["expected"], one["remedy"], one["source"] or path
    )


def read(path: str) -> tuple[t.Any, str]:
    """Return the report and why there is none."""
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8")), ""
    except FileNotFoundError:
        return None, f"there is no report at {path}"
    except (OSError, ValueError) as error:
        return None, f"{path} could not be read: {error}"


def main() -> None:
    spec = {
        "path": {"type": "path", "required": True},
        "remedy": {"type": "str", "default": REMEDY},
        "nodes": {"type": "list", "elements": "str", "required": True},
        **{key: value for key, value in _verdict.proof_argument_spec().items() if key != "expect"},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    path = module.params["path"]
    report, problem = read(path)
    checks = judge(report, problem, module.params["nodes"], path, module.params["remedy"])
    facts = {key: report.get(key) for key in ("started", "tier", "verdict")} if isinstance(report, dict) else {}
    _verdict.finish(module, checks, facts)


if __name__ == "__main__":
    main()
