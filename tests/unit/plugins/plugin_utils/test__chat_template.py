# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates are rendered as engines do it: with Jinja."""

from __future__ import annotations

import jinja2
import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._chat_template import TemplateError, forced_think

#: The end of DeepSeek-R1's template of January 2025, and of the one since.
OLD = "{{ bos }}{% set ns = namespace(is_tool=false) %}{% for m in messages %}{{ '<User>' + m }}{% endfor %}" + (
    "{% if add_generation_prompt and not ns.is_tool %}{{'<Assistant>'}}{% endif %}"
)
NEW = OLD.replace("<Assistant>", "<Assistant><think>\\n")


def rendered(template: str, generate: bool = True) -> str:
    return jinja2.Template(template, keep_trailing_newline=True).render(
        messages=["hi"], bos="<bos>", add_generation_prompt=generate
    )


@pytest.mark.parametrize(
    "template",
    [
        OLD,
        NEW,
        OLD.replace("'<Assistant>'", '"<Assistant>"'),
        OLD.replace("{{'<A", "{{- '<A").replace("t>'}}", "t>' -}}"),
    ],
)
def test_the_prompt_ends_with_the_tag_once(template: str) -> None:
    forced = forced_think(template)
    assert rendered(forced) == "<bos><User>hi<Assistant><think>\n"
    assert rendered(forced, generate=False) == "<bos><User>hi"
    assert forced_think(forced) == forced


def test_chatml_is_known_too() -> None:
    template = "{% for m in messages %}{{ m }}{% endfor %}"
    template += "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}"
    assert rendered(forced_think(template)) == "hi<|im_start|>assistant\n<think>\n"


@pytest.mark.parametrize("template", ["", "{{ messages }}", "{% if add_generation_prompt %}{{ prompt }}{% endif %}"])
def test_what_cannot_be_extended_is_refused(template: str) -> None:
    with pytest.raises(TemplateError, match="mount a template of your own"):
        forced_think(template)
