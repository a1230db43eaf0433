# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pages of all kinds share: the templates of their parts, and how they are rendered.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_page import SIGNS, WORDS

#: plots.svg.j2, page.css.j2, parts.html.j2.
TEMPLATES = str(pathlib.Path(__file__).with_name("_pages"))

#: Arguments of Jinja's environment. Everything is escaped: names come from nodes.
OPTIONS: dict[str, t.Any] = {
    "autoescape": True,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}

#: What the parts read beside their arguments.
GLOBALS: dict[str, t.Any] = {"signs": SIGNS, "words": WORDS}
