# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a GPU node: two readings and a profile in, one check per statement out. Pure functions on plain data.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import (
    _gpu_judge_access,
    _gpu_judge_cards,
    _gpu_judge_driver,
    _gpu_judge_fabric,
    _gpu_judge_log,
    _gpu_judge_manager,
    _gpu_judge_memory,
    _gpu_judge_pcie,
    _gpu_judge_software,
    _gpu_judge_state,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_card import Card
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_catalog import BY_DEVICE_ID
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import (
    ACTIONS,
    NONE,
    RECOVERY_ACTIONS,
    strongest,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import (
    Finding,
    Gpu,
    Judged,
    Node,
    Skip,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_profile import profile
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import is_unread
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import NOT_VERIFIED, PASS, Check, check

#: Name of a check → its judge, in the order in which somebody would look: what explains others comes first.
JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    **_gpu_judge_driver.JUDGES,
    **_gpu_judge_cards.JUDGES,
    **_gpu_judge_log.JUDGES,
    **_gpu_judge_memory.JUDGES,
    **_gpu_judge_state.JUDGES,
    **_gpu_judge_pcie.JUDGES,
    **_gpu_judge_manager.JUDGES,
    **_gpu_judge_fabric.JUDGES,
    **_gpu_judge_software.JUDGES,
    **_gpu_judge_access.JUDGES,
}


class Judgement(t.NamedTuple):
    """The checks, and which statements make no sense on this node: {name: why}."""

    checks: list[Check]
    not_applicable: dict[str, str]


def make_node(
    nvml: t.Mapping[str, t.Any],
    host: t.Mapping[str, t.Any],
    expect: t.Mapping[str, t.Any],
    catalog: t.Mapping[str, Card] = BY_DEVICE_ID,
) -> Node:
    """Return the node as judges see it: GPUs that could be opened, each with its row. Raises ValueError for ``expect``."""
    opened = [gpu for gpu in nvml["gpus"] if not is_unread(gpu["handle"])]
    gpus = tuple(Gpu(int(gpu["index"]), gpu, catalog.get(str(gpu.get("device_id")).lower())) for gpu in opened)
    on_bus = tuple(catalog.get(one["device_id"]) for one in host["gpus"] or [])
    return Node(nvml, host, profile(expect), gpus, tuple(gpu.card for gpu in gpus) or on_bus)


def asked_actions(node: Node) -> dict[int, str]:
    """Return {GPU: what the driver itself asks for}: NVML's recovery action and that of Xids, the stronger of the two."""
    asked = dict(_gpu_judge_log.recovery_actions(node))
    for gpu in node.gpus:
        code = gpu.number("recovery_action")
        action = NONE if code is None else RECOVERY_ACTIONS.get(int(code), NONE)
        asked[gpu.index] = strongest([action, asked.get(gpu.index, NONE)])
    return asked


def judge_gpu(
    nvml: t.Mapping[str, t.Any],
    host: t.Mapping[str, t.Any],
    expect: t.Mapping[str, t.Any],
    catalog: t.Mapping[str, Card] = BY_DEVICE_ID,
) -> Judgement:
    """Return what the readings of ``read_nvml`` and ``read_gpu_host`` are worth against a profile.

    Raises ValueError with all mistakes of ``expect``.
    """
    node = make_node(nvml, host, expect, catalog)
    asked = asked_actions(node)
    checks: list[Check] = []
    not_applicable: dict[str, str] = {}
    nothing_here = not node.cards and host["gpus"] is not None and not node.profile.gpus
    for name, judge in JUDGES.items():
        judged = judge(node) if name == "GPU count" or not nothing_here else Skip("there is no NVIDIA GPU here")
        if isinstance(judged, Skip):
            not_applicable[name] = judged.why
        else:
            checks.append(_check(name, judged, asked))
    return Judgement(checks, not_applicable)


def _check(name: str, one: Finding, asked: t.Mapping[int, str]) -> Check:
    """Return the check; its remedy begins with the strongest of what the statement and the driver ask for."""
    remedy = one.remedy
    if one.verdict not in (PASS, NOT_VERIFIED):
        action = strongest([one.action, *(asked.get(index, NONE) for index in one.sick)])
        remedy = " ".join(part for part in (ACTIONS[action], one.remedy) if part)
    return check(name, one.verdict, one.observed, one.expected, remedy, one.source)
