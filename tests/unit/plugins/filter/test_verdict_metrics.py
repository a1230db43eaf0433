# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.verdict_metrics import FilterModule


def test_the_filter_hands_everything_on() -> None:
    text = FilterModule().filters()["verdict_metrics"]({"rdma": {"checks": [{"name": "a", "verdict": "warn"}]}}, 5.0)
    assert 'gpufleet_proof_timestamp_seconds{proof="rdma"} 5' in text
