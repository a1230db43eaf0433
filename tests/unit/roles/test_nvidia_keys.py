# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NVIDIA signs its repositories with a key per family of platforms, and names the key's file after its last digits."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

TABLES = sorted(pathlib.Path("roles/platform/vars").glob("*_*.yml"))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_key_file_is_named_after_the_fingerprint(path: pathlib.Path) -> None:
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    fingerprint = table["platform_nvidia_driver_repository_fingerprint"]
    assert re.fullmatch(r"[0-9A-F]{40}", fingerprint)
    assert table["platform_nvidia_driver_key_file"].lower() == f"{fingerprint[-8:].lower()}.pub"


def test_the_families_have_keys_of_their_own() -> None:
    keys = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))["platform_nvidia_driver_key_file"]
        for path in TABLES
    }
    assert keys["Debian_12"] == keys["Ubuntu_22"] == keys["Ubuntu_24"]
    assert len({keys["Debian_12"], keys["Debian_13"], keys["RedHat_9"]}) == 3
