# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every Python file says whose it is and under which license; private ones say that they are private."""

from __future__ import annotations

import pathlib

import pytest

from tests.laws._repository import committed, files, name

PYTHON = [path for path in committed() if path.suffix == ".py" and path.stat().st_size]
PRIVATE = [path for path in files("plugins/*_utils/_*.py") if path.stem != "__init__"]


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_license(path: pathlib.Path) -> None:
    head = "".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:8])
    assert "SPDX-License-Identifier: GPL-3.0-or-later" in head, f"{name(path)} has no SPDX line"
    assert "Copyright: (c) 2026, The gpufleet founders" in head, f"{name(path)} has no copyright line"


@pytest.mark.parametrize("path", PRIVATE, ids=name)
def test_private_is_said(path: pathlib.Path) -> None:
    assert "**PRIVATE**" in path.read_text(encoding="utf-8"), f"{name(path)} does not say that it is private"
