# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.filter.monitoring_slo_rules import FilterModule

SLO = {"ttft_seconds": 2.5, "tpot_seconds": 0.1, "objective": 0.95}
RULES = FilterModule().filters()["monitoring_slo_rules"]


def test_rules() -> None:
    (group,) = RULES([{"name": "a", "engine": "vllm"}], SLO)["groups"]
    assert len(group["rules"]) == 10


def test_mistakes_are_an_error() -> None:
    with pytest.raises(AnsibleFilterError, match=r"monitoring_slo: objective is missing\."):
        RULES([], {"ttft_seconds": 1, "tpot_seconds": 1})
