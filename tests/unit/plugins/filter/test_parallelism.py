# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.parallelism import FilterModule
from tests.unit.plugins.plugin_utils import sizing_samples as samples


def test_the_filter_hands_everything_on() -> None:
    parallelism = FilterModule().filters()["parallelism"]
    model = {"config": samples.config("llama-3.3-70b")}
    deployment = {"name": "a", "options": {"max_model_len": 8192}}
    found = parallelism(deployment, model=model, nodes=[{"gpus": 8, "gpu_gib": 79.1}], concurrency=16)
    assert (found["smallest"]["gpus"], found["fastest"]["gpus"], found["problem"]) == (2, 8, "")
