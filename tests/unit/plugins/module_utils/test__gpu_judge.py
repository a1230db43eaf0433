# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge import JUDGES, asked_actions, judge_gpu
from tests.unit.plugins.module_utils.gpu_samples import EXPECT, changed, host, node, nvml


def remedy(name: str, **changes: object) -> str:
    judgement = judge_gpu(changed(nvml(), changes), host(), EXPECT)
    return next(str(check["remedy"]) for check in judgement.checks if check["name"] == name)


def test_every_statement_is_judged_once() -> None:
    judgement = judge_gpu(nvml(), host(), EXPECT)
    named = [check["name"] for check in judgement.checks] + list(judgement.not_applicable)
    assert sorted(named) == sorted(JUDGES)
    assert all(judgement.not_applicable.values())


def test_a_healthy_node_passes() -> None:
    judgement = judge_gpu(nvml(), host(), EXPECT)
    assert {check["verdict"] for check in judgement.checks} == {"pass"}, judgement.checks


def test_mistakes_of_the_profile_are_raised() -> None:
    with pytest.raises(ValueError, match="unknown gpu"):
        judge_gpu(nvml(), host(), {"gpu": 8})


def test_the_drivers_wish_comes_first() -> None:
    alone = remedy("spare rows", **{"gpus.1.remap_histogram.low": 1})
    asked = remedy("spare rows", **{"gpus.1.remap_histogram.low": 1, "gpus.1.recovery_action": 2})
    assert asked == f"Drain and reboot the node; if the fault comes back, let the hardware be inspected. {alone}"


def test_the_wish_of_another_gpu_does_not_count() -> None:
    alone = remedy("spare rows", **{"gpus.1.remap_histogram.low": 1})
    assert remedy("spare rows", **{"gpus.1.remap_histogram.low": 1, "gpus.0.recovery_action": 2}) == alone


def test_a_weaker_wish_does_not_weaken() -> None:
    text = remedy("unrepairable memory", **{"gpus.1.unrepairable_memory": 1, "gpus.1.recovery_action": 1})
    assert "vendor replace" in text


def test_both_ways_in_which_the_driver_asks() -> None:
    line = {"time": None, "text": "NVRM: Xid (PCI:0000:43:00): 79, gone"}
    asked = asked_actions(
        node({"gpus.1.recovery_action": 1, "gpus.0.recovery_action": 1}, {"kernel_log.lines": [line]})
    )
    assert asked == {0: "reset", 1: "reboot"}


def test_an_empty_catalogue_makes_every_card_unknown() -> None:
    judgement = judge_gpu(nvml(), host(), {**EXPECT, "kind": None}, {})
    verdicts = {check["name"]: check["verdict"] for check in judgement.checks}
    assert verdicts["GPUs in the catalogue"] == "not_verified"
    assert "fail" not in verdicts.values()
