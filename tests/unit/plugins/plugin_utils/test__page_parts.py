# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _page_parts


def test_the_parts_are_where_pages_look_for_them() -> None:
    found = {one.name for one in pathlib.Path(_page_parts.TEMPLATES).iterdir()}
    assert found == {"plots.svg.j2", "page.css.j2", "parts.html.j2"}


def test_everything_is_escaped() -> None:
    assert _page_parts.OPTIONS["autoescape"] is True
    assert set(_page_parts.GLOBALS["signs"]) == set(_page_parts.GLOBALS["words"])
