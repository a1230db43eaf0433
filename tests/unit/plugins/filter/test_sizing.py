# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.sizing import FilterModule
from tests.unit.plugins.plugin_utils import sizing_samples as samples


def test_the_filter_hands_everything_on() -> None:
    sizing = FilterModule().filters()["sizing"]
    models = {"m": {"config": samples.config("qwen2.5-7b")}}
    found = sizing(
        [{"name": "a", "model": "m"}], models=models, nodes={"n": {"gpus": 1, "gpu_gib": 14.58}}, concurrency=2
    )
    assert found["deployments"]["a"]["fits"] is False
    assert len(found["mistakes"]) == 1 and found["table"][2].startswith("a × 1")
