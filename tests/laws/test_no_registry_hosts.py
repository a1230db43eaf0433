# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No file names a package registry: the machine's own pip and apt configuration says where packages come from."""

from __future__ import annotations

import pathlib
import re

import pytest

from tests.laws._repository import committed, name

#: In pieces, so that this file does not break its own law.
HOSTS = [
    ("py" + "pi", "org"),
    ("python" + "hosted", "org"),
    ("npm" + "js", "(?:org|com)"),
    ("deb", "debian", "org"),
    ("security", "debian", "org"),
    ("ftp", "debian", "org"),
    ("archive", "ubuntu", "com"),
    ("security", "ubuntu", "com"),
    ("download", "pytorch", "org"),
    ("galaxy", "ansible", "com"),
    ("ana" + "conda", "(?:org|com)"),
]
PATTERN = re.compile("|".join(r"\.".join(parts) for parts in HOSTS))
OPTIONS = re.compile("--(?:extra-)?" + "index-url|--find-" + "links|--trusted-" + "host")


@pytest.mark.parametrize("path", committed(), ids=name)
def test_no_registry_host(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    found = PATTERN.findall(text) + (OPTIONS.findall(text) if "requirements" in path.parts else [])
    assert not found, f"{name(path)} names {sorted(set(found))}"
