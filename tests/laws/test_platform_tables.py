# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All platform tables have the same keys, each is documented, and each value is read by one role."""

from __future__ import annotations

import pathlib

import pytest

from tests.laws._repository import ROOT, files, load, name, role_file, roles

TABLES = [path for path in files("roles/platform/vars/*.yml") if path.stem != "main"]

#: How a table is called where people read.
SPOKEN = {"RedHat_9": "RHEL-likes 9", "Ubuntu_22": "Ubuntu 22.04", "Ubuntu_24": "Ubuntu 24.04"}


def test_there_are_tables() -> None:
    assert len(TABLES) >= 5


@pytest.mark.parametrize("path", TABLES, ids=name)
def test_same_keys(path: pathlib.Path) -> None:
    first, this = load(TABLES[0]), load(path)
    differing = sorted(set(this) ^ set(first))
    assert not differing, f"{name(path)} and {name(TABLES[0])} differ in keys: {differing}"


@pytest.mark.parametrize("path", TABLES, ids=name)
def test_same_types(path: pathlib.Path) -> None:
    first, this = load(TABLES[0]), load(path)
    other = [key for key in this if type(this[key]) is not type(first[key])]
    assert not other, f"{name(path)} and {name(TABLES[0])} differ in the type of {other}"


@pytest.mark.parametrize("path", TABLES, ids=name)
def test_documented(path: pathlib.Path) -> None:
    spoken = SPOKEN.get(path.stem, path.stem.replace("_", " "))
    assert spoken in (ROOT / "README.md").read_text(encoding="utf-8"), f"README.md does not name {spoken}"


@pytest.mark.parametrize("key", sorted(load(TABLES[0])))
def test_values_are_read_by_their_role(key: str) -> None:
    owners = [role for role in roles() if key.startswith(f"platform_{role}_")]
    assert len(owners) == 1, f"{key} is not called platform_<role>_<noun>"
    defaults = role_file(owners[0], "defaults/main.yml")
    read = defaults.is_file() and key in defaults.read_text(encoding="utf-8")
    assert read, f"roles/{owners[0]}/defaults/main.yml does not read {key}"
