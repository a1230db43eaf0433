# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: load_test_report
short_description: Judge a load test and write it down as JSON, Markdown and one HTML page
version_added: 0.1.0
description:
  - Judges answers, the SLO, the cost of the gateway and, against the last run of the same sweep, regressions.
  - The page needs no network and no script. All names in it are text, never markup.
author: The gpufleet founders (@gpufleet)
positional: wishes, history, templates
options:
  _input:
    description: The points that P(gpufleet.inference.load_test_points#filter) returned.
    type: list
    elements: dict
    required: true
  wishes:
    description: The variables of the role without their prefix, C(started), and C(host), which made the load.
    type: dict
    required: true
  history:
    description: What P(gpufleet.inference.load_test_history#lookup) found.
    type: dict
    required: true
  templates:
    description: The directory of the page's template.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Judge a load test
  ansible.builtin.set_fact:
    __load_test_report: >-
      {{ __load_test_points | gpufleet.inference.load_test_report(__load_test_wishes, __load_test_history, role_path ~ '/templates') }}
"""

RETURN = r"""
_value:
  description: C(verdict), C(document) as in load_test.json, and C(files), a list of C(name) and C(content).
  type: dict
"""

import typing as t

import jinja2

from ansible_collections.gpufleet.inference.plugins.plugin_utils import (
    _acceptance_text,
    _load_history,
    _load_page,
    _load_report,
    _load_text,
    _page_parts,
    _result,
)

TEMPLATE = "load_test.html.j2"


def load_test_report(
    points: list[dict[str, t.Any]], wishes: dict[str, t.Any], history: dict[str, t.Any], templates: str
) -> dict[str, t.Any]:
    """Return verdict, document and the texts of the three files."""
    document = _load_report.build(_result.scrub(points), _result.scrub(wishes), _result.scrub(history))
    page = _load_page.page(document)
    texts = {
        "json": _acceptance_text.to_json(document),
        "md": _load_text.to_markdown(page),
        "html": html(page, templates),
    }
    return {
        "verdict": document["verdict"],
        "document": document,
        "files": [{"name": f"{_load_history.NAME}.{suffix}", "content": text} for suffix, text in texts.items()],
    }


def html(page: dict[str, t.Any], templates: str) -> str:
    """Return the page as HTML, everything escaped."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FileSystemLoader([templates, _page_parts.TEMPLATES]),
        **_page_parts.OPTIONS,
    )
    environment.globals.update(_page_parts.GLOBALS)
    return environment.get_template(TEMPLATE).render(load_test_page=page)


class FilterModule:
    """The filter load_test_report."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"load_test_report": load_test_report}
