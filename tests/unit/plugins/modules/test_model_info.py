# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

from ansible_collections.gpufleet.inference.plugins.modules import model_info
from tests.unit.plugins.module_utils.model_samples import make


def test_every_model_is_told_by_its_name(tmp_path: pathlib.Path) -> None:
    make(tmp_path / "whole")
    found = model_info.look(
        [
            {"name": "one", "directory": str(tmp_path / "whole")},
            {"name": "two", "directory": str(tmp_path / "absent")},
            {"name": "whole", "directory": None},
        ],
        str(tmp_path),
    )
    assert found["one"]["files"] == 2 and found["one"]["config"]["model_type"] == "deepseek_v3"
    assert found["two"]["problem"].endswith("has no readable config.json")
