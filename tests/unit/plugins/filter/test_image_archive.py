# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.filter.image_archive import FilterModule
from tests.unit.plugins.plugin_utils.test__image_archive import ID, manifest, save


def test_filter(tmp_path: pathlib.Path) -> None:
    image_archive = FilterModule().filters()["image_archive"]
    assert image_archive(save(tmp_path / "a.tar", {"manifest.json": [manifest()]}))["id"] == ID


def test_a_bad_archive_is_an_error_of_the_filter() -> None:
    image_archive = FilterModule().filters()["image_archive"]
    with pytest.raises(AnsibleFilterError, match="does not exist"):
        image_archive("/none.tar")
