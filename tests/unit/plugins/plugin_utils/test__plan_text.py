# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan says to people."""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan import plan
from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan_text import lines
from tests.unit.plugins.plugin_utils.wishes import fleet


def test_each_rank_and_each_variable_is_told() -> None:
    one = {"name": "tiny", "model": "tiny", "image": "engine:1", "engine": "sglang", "pipeline_parallel": 2}
    split = {"parallel": "TP2", "why": "the fewest GPUs"}
    told = lines(plan(fleet(deployments=[one]))["deployments"], {"tiny": {"smallest": split, "fastest": None}})
    assert told[-1] == "  the smallest that fits is TP2: the fewest GPUs"
    assert told[:2] == ["", "tiny: sglang on one, two"]
    assert told[2].startswith("  rank 0 on one: sglang serve --model-path /models/tiny")
    assert told[3].startswith("  rank 1 on two: sglang serve")
    [address] = [line for line in told if line.startswith("  SGLANG_HOST_IP=")]
    assert address.startswith("  SGLANG_HOST_IP=10.0.0.1 or 10.0.0.2: the address by which")
    [gloo] = [line for line in told if line.startswith("  GLOO_SOCKET_IFNAME=")]
    assert gloo.startswith("  GLOO_SOCKET_IFNAME=eth0: ")


def test_no_plans_need_no_words() -> None:
    assert lines([], {}) == []
