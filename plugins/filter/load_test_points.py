# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: load_test_points
short_description: Join the planned points of a load test with what came of them
version_added: 0.1.0
description:
  - A planned point without a result is told as not measured. Each point has a C(line) for the terminal.
author: The gpufleet founders (@gpufleet)
positional: results, targets
options:
  _input:
    description: The points that P(gpufleet.inference.load_test_plan#filter) returned.
    type: list
    elements: dict
    required: true
  results:
    description: What M(gpufleet.inference.load_point) returned as C(result), in the order of the points.
    type: list
    elements: dict
    required: true
  targets:
    description: The targets of the load test.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show a point
  ansible.builtin.debug:
    msg: "{{ ([__load_test_point] | gpufleet.inference.load_test_points([__load_test_measured.result], load_test_targets)).0.line }}"
"""

RETURN = r"""
_value:
  description: The points as docs/load_test.md describes them, and their C(line).
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_kinds, _load_report, _result


def load_test_points(
    planned: list[dict[str, t.Any]], results: list[dict[str, t.Any]], targets: list[dict[str, t.Any]]
) -> list[dict[str, t.Any]]:
    """Return the points, each with its line."""
    points = _load_report.joined(planned, _result.scrub(results), targets)
    return [{**one, "line": _load_kinds.line(one)} for one in points]


class FilterModule:
    """The filter load_test_points."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"load_test_points": load_test_points}
