# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be changed before a load test can run, all of it at once.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_kinds, _load_plan

Wishes = t.Mapping[str, t.Any]
Node = t.Mapping[str, t.Any]

#: What a target must have.
NEEDED = ("name", "deployment", "url", "model", "tokenizer")


def mistakes(wishes: Wishes, node: Node) -> list[str]:
    """Return sentences, each with the variable to change. Parameters: see ``_load_plan``."""
    return [
        *_targets(wishes["targets"]),
        *_loads(wishes),
        *(found for place, mix in enumerate(wishes["lengths"]) for found in _mix(place, mix)),
        *_limits(wishes),
        *_generator(wishes, node),
    ]


def _targets(targets: t.Sequence[t.Mapping[str, t.Any]]) -> t.Iterator[str]:
    if not targets:
        yield "load_test_targets: there is nothing to load. Is a deployment in engine_deployments?"
    for place, one in enumerate(targets):
        absent = [name for name in NEEDED if not one.get(name)]
        if absent:
            yield f"load_test_targets[{place}] has no {', '.join(absent)}."
    names = [one.get("name") for one in targets]
    if len(set(names)) < len(names):
        yield f"load_test_targets: two targets have the same name ({', '.join(map(str, names))})."


def _loads(wishes: Wishes) -> t.Iterator[str]:
    if not wishes["concurrency"] and not wishes["rates"]:
        yield "load_test_concurrency and load_test_rates are empty: give numbers of clients, or requests per second."
    for name in ("concurrency", "rates"):
        bad = [one for one in wishes[name] if not _positive(one) or (name == "concurrency" and one != int(one))]
        if bad:
            kind = "whole numbers" if name == "concurrency" else "numbers"
            yield f"load_test_{name}: {', '.join(map(str, bad))}: these must be {kind} above 0."
    for name in ("requests_per_client", "least_requests", "open_seconds", "burstiness", "point_seconds"):
        if not _positive(wishes[name]):
            yield f"load_test_{name}: {wishes[name]} must be above 0."
    if not wishes["lengths"]:
        yield "load_test_lengths is empty: give at least one mix, such as {name: 1024/256, input: 1024, output: 256}."
    mixes = [one.get("name") for one in wishes["lengths"]]
    if len(set(mixes)) < len(mixes):
        yield "load_test_lengths: two mixes have the same name."


def _mix(place: int, mix: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    where = f"load_test_lengths[{place}]"
    if not mix.get("name"):
        yield f"{where} has no name."
    if mix.get("file"):
        if not str(mix["file"]).startswith("/"):
            yield f"{where}.file: {mix['file']} must be a whole path, on the host that makes the load."
        return
    for name in ("input", "output"):
        if not _positive(mix.get(name)):
            yield f"{where}.{name}: it must be a number of tokens above 0, or give a file of conversations."
    if not 0 <= float(mix.get("range") or 0) < 1:
        yield f"{where}.range: {mix['range']} must be from 0 (all alike) to less than 1 (0.5: from half to one and a half)."


def _limits(wishes: Wishes) -> t.Iterator[str]:
    for name, limit in wishes["slo"].items():
        if name not in _load_plan.SLO:
            yield f"load_test_slo: {name} is none of {', '.join(_load_plan.SLO)}."
        elif not _positive(limit):
            yield f"load_test_slo: {name} must be milliseconds above 0, not {limit}."
    for name in ("slo_share", "success_share", "regression_share"):
        if not 0 <= float(wishes[name]) <= 1:
            yield f"load_test_{name}: {wishes[name]} must be from 0 to 1."
    unknown = [one for one in wishes["regression_metrics"] if one not in _load_kinds.METRICS]
    if unknown:
        yield f"load_test_regression_metrics: {', '.join(unknown)}: none of {', '.join(_load_kinds.METRICS)}."


def _generator(wishes: Wishes, node: Node) -> t.Iterator[str]:
    if wishes["program"]:
        return
    image = _load_plan.image(wishes)
    if not image:
        yield (
            "load_test_image: no deployment runs vLLM, whose image holds the load generator. Name such an image that the host has,"
            " or with load_test_program the vllm of the host itself."
        )
    elif not node["docker"]["reachable"]:
        yield f"Docker does not answer on the host that makes the load: {node['docker']['problem'] or 'it is not installed'}."
    elif image not in node["docker"]["images"]:
        yield f"load_test_image: the host that makes the load does not have {image}. playbooks/serve.yml brings it to nodes."


def _positive(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
