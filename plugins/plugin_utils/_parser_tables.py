# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flag tables that come with the collection: ``_parsers/<engine>_<release>.json``.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import functools
import json
import pathlib
import re

from ansible_collections.gpufleet.inference.plugins.plugin_utils._flags import Table, table

FOLDER = pathlib.Path(__file__).parent / "_parsers"

_RELEASE = re.compile(r"(?:^|[^0-9.])v?(\d+\.\d+\.\d+)(?![0-9.])")


@functools.cache
def releases(engine: str) -> tuple[str, ...]:
    """Return the releases of an engine that have a table, the oldest first."""
    found = [path.stem.removeprefix(f"{engine}_") for path in FOLDER.glob(f"{engine}_[0-9]*.json")]
    return tuple(sorted(found, key=lambda one: [int(part) for part in one.split(".")]))


@functools.cache
def load(engine: str, release: str) -> Table | None:
    """Return the table of that release; None when there is none."""
    path = FOLDER / f"{engine}_{release}.json"
    return table(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def release_in(image: str, default_image: str) -> str:
    """Return the release of the engine in an image, as the tag says; of the default image where it does not say.

    A tag counts only when the image has the name of the default one (``…/vllm-openai:v0.33.0``): in a name of the user's
    own, such as ``lab/engine:0.2.0``, it may number something else.
    """
    named = default_image.rpartition("/")[2].partition(":")[0]
    for one in (image, default_image):
        name, _, tag = one.rpartition("/")[2].partition("@")[0].partition(":")
        found = _RELEASE.search(tag) if named and name == named else None
        if found:
            return found[1]
    return ""
