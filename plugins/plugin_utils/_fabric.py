# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fabric part of a burn-in from its plan to its figures: what the filters of the role ``burn_in`` call.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import (
    _fabric_blame,
    _fabric_ends,
    _fabric_nccl,
    _fabric_pairs,
    _fabric_results,
)

Ends = t.Mapping[str, t.Mapping[str, t.Any]]

#: Where the ports of pairs that meet again begin, from those of the plan: past all of them.
SWAP_PORTS = _fabric_pairs.PORTS_PER_PAIR * _fabric_pairs.PAIRS_OF_PORTS


def plan(ends: Ends, wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return {parts: [{node: options of rdma_speed}], pairs, notes, ends, group, port}: what is run, wave by wave.

    ``wishes``: rounds, at_once, port (the first of all pairs).
    """
    ends = _fabric_ends.aligned({name: end or {} for name, end in ends.items()})
    found = _fabric_pairs.plan(ends, wishes["rounds"], wishes["at_once"], wishes["port"])
    return {
        "parts": [_fabric_pairs.parts(wave) for wave in found["waves"]],
        "pairs": [*(pair for wave in found["waves"] for pair in wave), *found["refused"]],
        "notes": found["notes"],
        "ends": {name: dict(end) for name, end in ends.items()},
        "group": _fabric_nccl.group(ends),
        "port": wishes["port"],
    }


def swaps(
    made: t.Mapping[str, t.Any], answers: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Return {parts, pairs} of the pairs that tell which end of a slow link is to blame.

    ``made``: of :func:`plan`. ``answers``: {node: what rdma_speed returned in all waves}. ``wishes``: floor_share.
    """
    outcomes = _outcomes(made["pairs"], answers, wishes)
    suspects = _fabric_blame.uncertain(outcomes)
    waves = _fabric_pairs.swaps(made["ends"], suspects, _fabric_blame.good(outcomes), made["port"] + SWAP_PORTS)
    return {
        "parts": [_fabric_pairs.parts(wave) for wave in waves],
        "pairs": [pair for wave in waves for pair in wave],
    }


def figures(
    made: t.Mapping[str, t.Any],
    swapped: t.Mapping[str, t.Any],
    answers: t.Mapping[str, t.Any],
    runs: t.Mapping[str, t.Any],
    wishes: t.Mapping[str, t.Any],
) -> dict[str, t.Any]:
    """Return {measurements, checks, facts: {node: {nics, nic_gbps, gpu, gpus, driver}}} of the whole fabric, what is known of each.

    ``swapped``: of :func:`swaps`, or {}. ``runs``: {node: what gpu_speed returned for the all-reduce over all nodes, or nothing}.
    ``wishes``: floor_share, image, gdr. The checks name who explains the slow pairs; figures and paths are judged one by one by
    _acceptance_thresholds.
    """
    pairs = [*made["pairs"], *swapped.get("pairs", [])]
    found = _fabric_results.merged(pairs, answers, list(_fabric_results.UNITS))
    checks = _fabric_results.checks(_fabric_results.outcomes(found, wishes["floor_share"]), made["notes"])
    given = {name: _fabric_nccl.answer(run, name) for name, run in runs.items()}
    came = {name: one for name, one in given.items() if one is not None}
    found += _fabric_nccl.measurements(made["group"], came, wishes["image"], wishes["gdr"])
    return {
        "measurements": found,
        "checks": checks,
        "facts": {
            name: said for name, end in made["ends"].items() if (said := _facts(end, name, runs.get(name) or {}))
        },
    }


def _outcomes(
    pairs: t.Sequence[t.Mapping[str, t.Any]], answers: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]
) -> list[dict[str, t.Any]]:
    found = _fabric_results.merged(pairs, answers, [_fabric_results.BANDWIDTH])
    return _fabric_results.outcomes(found, wishes["floor_share"])


def _facts(end: t.Mapping[str, t.Any], name: str, run: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    # The cards are thresholds' and the baseline's key, also where only the fabric was measured.
    cards = run.get("fleet", {}).get(name, {})
    found = {key: cards[key] for key in ("gpu", "gpus", "driver") if cards.get(key)}
    rates = [hca["gbps"] for hca in _fabric_ends.live(end)] if end else []
    return {"nics": len(rates), "nic_gbps": None if None in rates else min(rates), **found} if rates else found
