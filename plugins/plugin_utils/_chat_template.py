# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A chat template that makes a reasoning model think: the generation prompt ends with the opening tag.

DeepSeek recommends it for R1, which otherwise sometimes answers without thinking (model card of DeepSeek-R1, usage).

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re

THINK = "<think>\\n"

#: ``{% if add_generation_prompt … %}{{ 'text' }}{% endif %}``; the text is the last thing that a prompt holds.
PROMPT = re.compile(
    r"(add_generation_prompt[^%]*%\}\s*\{\{-?\s*)(?P<quote>['\"])(?P<text>.*?)(?P=quote)(?=\s*-?\}\}\s*\{%-?\s*(?:endif|else|elif))",
    re.DOTALL,
)


class TemplateError(Exception):
    """The template has no generation prompt that could be extended; the text says what to do."""


def forced_think(template: str) -> str:
    """Return the template with ``<think>`` at the end of its generation prompt; one that has it stays as it is.

    Raises TemplateError.
    """
    found = list(PROMPT.finditer(template))
    if not found:
        raise TemplateError(
            "its chat template has no generation prompt that is known here; mount a template of your own "
            "and name it in options.chat_template"
        )
    last = found[-1]
    if "<think>" in last["text"]:
        return template
    end = last.end("text")
    return template[:end] + THINK + template[end:]
