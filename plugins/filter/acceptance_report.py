# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: acceptance_report
short_description: Judge the measurements of a burn-in and write them down as JSON, Markdown and one HTML page
version_added: 0.1.0
description:
  - Judges every measurement by the thresholds of its GPU or by the fleet's own baseline, finds outliers against the fleet's
    median, and compares with the last run of the same fleet and tier.
  - The page needs no network and no script. Names that come from nodes are text, never markup.
author: The gpufleet founders (@gpufleet)
positional: history, templates
options:
  _input:
    description: A run as docs/acceptance.md describes it.
    type: dict
    required: true
  history:
    description: What P(gpufleet.inference.acceptance_history#lookup) found.
    type: dict
    required: true
  templates:
    description: The directory of the page's templates.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Judge a run
  ansible.builtin.set_fact:
    __burn_in_report: "{{ __burn_in_run | gpufleet.inference.acceptance_report(__burn_in_history, role_path ~ '/templates') }}"
"""

RETURN = r"""
_value:
  description: C(verdict), C(document) as in acceptance.json, and C(files), a list of C(name) and C(content).
  type: dict
"""

import typing as t

import jinja2
from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.plugin_utils import (
    _acceptance,
    _acceptance_history,
    _acceptance_page,
    _acceptance_text,
    _acceptance_thresholds,
    _page_parts,
    _result,
)

TEMPLATE = "acceptance.html.j2"


def acceptance_report(run: dict[str, t.Any], history: dict[str, t.Any], templates: str) -> dict[str, t.Any]:
    """Return verdict, document and the texts of the three files."""
    try:
        document = _acceptance.build(
            _result.scrub(run),
            judge=_acceptance_thresholds.judge,
            limit=_acceptance_thresholds.limit,
            baseline=history["baseline"],
            previous=history["previous"],
            history=history["history"],
            notes=history["notes"],
        )
    except ValueError as error:
        raise AnsibleFilterError(f"The measurements of the burn-in cannot be read. {error}") from error
    page = _acceptance_page.page(document)
    texts = {
        "json": _acceptance_text.to_json(document),
        "md": _acceptance_text.to_markdown(page),
        "html": html(page, templates),
    }
    return {
        "verdict": document["verdict"],
        "document": document,
        "files": [{"name": f"{_acceptance_history.NAME}.{suffix}", "content": text} for suffix, text in texts.items()],
    }


def html(page: dict[str, t.Any], templates: str) -> str:
    """Return the page as HTML. Everything is escaped: the names in it were given by nodes."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FileSystemLoader([templates, _page_parts.TEMPLATES]),
        **_page_parts.OPTIONS,
    )
    environment.globals.update(_page_parts.GLOBALS)
    return environment.get_template(TEMPLATE).render(burn_in_page=page)


class FilterModule:
    """The filter acceptance_report."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"acceptance_report": acceptance_report}
