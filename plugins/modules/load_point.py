#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_point
short_description: Measure one point of a load test
version_added: 0.1.0
description:
  - Runs the load generator of the role P(gpufleet.inference.load_test#role), C(vllm bench serve), in bounded time, and returns what it
    measured in one form.
  - Does not fail - what went wrong is C(problem) of the result. Prompts and replies are not returned.
  - It does nothing in check mode.
attributes:
  check_mode:
    description: Nothing is measured, the task is skipped.
    support: none
  diff_mode:
    description: There is nothing to show.
    support: none
  idempotent:
    description: It changes nothing, but two measurements differ.
    support: none
author:
  - The gpufleet founders (@gpufleet)
options:
  argv:
    description: The command.
    type: list
    elements: str
    required: true
  path:
    description: Where the command writes its result. The file is removed before and after.
    type: path
    required: true
  seconds:
    description: What O(argv) may take.
    type: int
    default: 900
  container:
    description: Name of the container that O(argv) starts, to remove it when its time is over.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Measure four clients with a tool of the host
  gpufleet.inference.load_point:
    argv: [/opt/vllm/bin/vllm, bench, serve, --base-url, "http://127.0.0.1:8000", --model, deepseek-v3, --tokenizer, /models/deepseek-v3,
           --max-concurrency, "4", --num-prompts, "32", --percentile-metrics, "ttft,tpot,itl,e2el", --metric-percentiles, "50,95,99",
           --save-result, --save-detailed, --result-dir, /var/tmp, --result-filename, point.json]
    path: /var/tmp/point.json
  register: point
"""

RETURN = r"""
result:
  description:
    - C(completed) and C(failed) requests, C(seconds), tokens, figures per second, C(ttft_ms), C(tpot_ms), C(itl_ms) and C(e2el_ms) with
      C(mean), C(p50), C(p95) and C(p99), sorted C(samples) of at most 500 requests, C(errors) with their counts, and C(problem).
    - Figures are none where no request was completed.
  returned: always
  type: dict
  sample:
    completed: 32
    failed: 0
    seconds: 41.2
    output_tokens_per_second: 199.0
    ttft_ms: {mean: 61.0, p50: 58.2, p95: 80.1, p99: 97.5}
    errors: []
    problem: ""
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils._load_point import Host, measure


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "argv": {"type": "list", "elements": "str", "required": True},
            "path": {"type": "path", "required": True},
            "seconds": {"type": "int", "default": 900},
            "container": {"type": "str", "default": ""},
        }
    )
    wish = module.params
    module.exit_json(
        changed=False, result=measure(Host(), wish["argv"], wish["seconds"], wish["container"], wish["path"])
    )


if __name__ == "__main__":
    main()
