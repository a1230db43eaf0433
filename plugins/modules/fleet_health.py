#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_health
short_description: Tell which nodes are not like the others
version_added: 0.3.0
description:
  - Makes one check of each node that differs from the rest of the fleet, and of each where something could not be read.
  - Runs on the controller, which has compared what M(gpufleet.inference.node_facts) read of all nodes. It asks no node.
extends_documentation_fragment:
  - gpufleet.inference.proof
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  drift:
    description: What P(gpufleet.inference.fleet_drift#filter) returns.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Compare the nodes
  gpufleet.inference.fleet_health:
    drift: "{{ dict(nodes | zip(nodes | map('extract', hostvars, 'platform_node'))) | gpufleet.inference.fleet_drift }}"
  vars:
    nodes: "{{ groups['gpu_nodes'] }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
verdict:
  description: The worst verdict of the checks. A node that differs is a V(warn).
  returned: always
  type: str
  sample: warn
checks:
  description: One entry per node that differs, or where something could not be read; one that passes where all are alike.
  returned: always
  type: list
  elements: dict
  sample:
    - name: n3 like the others
      verdict: warn
      observed: kernel 6.8.0-62-generic, CPUs 96
      expected: kernel 6.8.0-60-generic (3 nodes), CPUs 192 (3 nodes)
      remedy: Bring n3 to what the others have (playbooks/prepare.yml, or its firmware), or replace what is broken.
      source: node_facts of 4 nodes
facts:
  description: C(compared), the nodes.
  returned: always
  type: dict
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _verdict

Drift = t.Mapping[str, t.Any]

MEND = "Bring {node} to what the others have (playbooks/prepare.yml, or its firmware), or replace what is broken."
NO_MAJORITY = "As many nodes have the one as the other: decide which is right, then bring the others to it."
LOOK = "Look at {node} with node_facts: it is there on other nodes."


def judge(drift: Drift) -> list[_verdict.Check]:
    """Return the checks of what the filter ``fleet_drift`` found. One node alone cannot be compared."""
    compared = list(drift["compared"])
    source = f"node_facts of {len(compared)} nodes"
    if len(compared) < 2:
        why = "fewer than two nodes were read"
        return [_verdict.not_verified("nodes alike", why, "two or more", "Run this for several nodes.", source)]
    checks = [
        _verdict.check(
            f"{node} like the others",
            _verdict.WARN,
            ", ".join(f"{one['what']} {one['observed']}" for one in several),
            ", ".join(f"{one['what']} {one['expected']} ({_nodes(one['others'])})" for one in several),
            MEND.format(node=node) if all(one["sure"] for one in several) else NO_MAJORITY,
            source,
        )
        for node, several in drift["nodes"].items()
    ]
    checks += [
        _verdict.not_verified(
            f"{node} compared with the others",
            f"could not be read: {', '.join(several)}",
            remedy=LOOK.format(node=node),
            source=source,
        )
        for node, several in drift["unseen"].items()
    ]
    return checks or [_verdict.check("nodes alike", _verdict.PASS, f"{len(compared)} nodes", "alike", source=source)]


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def main() -> None:
    spec = {
        "drift": {"type": "dict", "required": True},
        **{key: value for key, value in _verdict.proof_argument_spec().items() if key != "expect"},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    drift = module.params["drift"]
    try:
        checks = judge(drift)
    except (KeyError, TypeError, AttributeError) as error:
        module.fail_json(msg=f"drift is not what the filter fleet_drift returns: {type(error).__name__} {error}")
    _verdict.finish(module, checks, {"compared": list(drift["compared"])})


if __name__ == "__main__":
    main()
