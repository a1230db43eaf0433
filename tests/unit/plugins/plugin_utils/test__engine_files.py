# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rank has a spec and a unit."""

from __future__ import annotations

import json

from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine_files import files


def test_each_rank_has_a_spec_and_a_unit() -> None:
    rank = {"unit": "gpufleet-engine-r1.service", "rank": 1, "spec": {"b": [1], "a": "x"}, "node": "two"}
    spec, unit = files([rank], "/etc/gpufleet")
    assert (spec["path"], spec["mode"]) == ("/etc/gpufleet/plans/gpufleet-engine-r1.json", "0640")
    assert json.loads(spec["content"]) == rank["spec"]
    assert spec["content"].endswith("}\n") and spec["content"].index('"a"') < spec["content"].index('"b"')
    assert unit["path"] == "/etc/systemd/system/gpufleet-engine-r1.service"
    assert unit["template_vars"]["__engine_rank"] == {"unit": rank["unit"], "rank": 1, "spec_path": spec["path"]}


def test_no_ranks_need_no_files() -> None:
    assert files([], "/etc/gpufleet") == []
