# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib

from ansible.plugins.loader import lookup_loader

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_plan
from tests.unit.plugins.plugin_utils import load_samples as samples


def test_the_lookup_finds_the_last_run(tmp_path: pathlib.Path) -> None:
    document = samples.document()
    (tmp_path / "one").mkdir()
    (tmp_path / "one/load_test.json").write_text(json.dumps(document), encoding="utf-8")
    lookup = lookup_loader.get("gpufleet.inference.load_test_history")
    (found,) = lookup.run(
        [],
        None,
        directory=str(tmp_path),
        started="2026-11-22T11:00:00+00:00",
        host="gpu1",
        sweep=_load_plan.sweep(samples.wishes()),
        targets=["deep gateway"],
    )
    assert found["previous"]["started"] == document["started"]
    assert found["path"] == str(tmp_path / "20261122T110000Z")
