# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the tasks of a run returned to one report, as plain data and as JSON.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
The JSON form is public: docs/python_api.md describes it, ``schema_version`` changes when a field changes its meaning.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _result
from ansible_collections.gpufleet.inference.plugins.plugin_utils._result import Where, plain, scrub

SCHEMA_VERSION = 1

#: From best to worst, as in module_utils/_verdict.py (a test compares them; controller code imports no module_utils).
VERDICTS = ("pass", "warn", "not_verified", "fail")

Check = dict[str, t.Any]

#: The stage (task file) of a role whose checks count.
PROOF_STAGE = "prove"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one task came to on one host. ``status``: ok, changed, ignored, rescued, failed or unreachable.

    ``play`` counts plays from 1: what a later play proves replaces what an earlier one saw.
    """

    host: str
    play: int
    where: Where
    module: str
    status: str
    message: str = ""
    checks: tuple[Check, ...] = ()
    platform: str = ""
    address: str = ""

    @property
    def worth_keeping(self) -> bool:
        return bool(self.status in ("changed", "failed", "unreachable") or self.checks or self.platform)


@dataclasses.dataclass(frozen=True)
class Report:
    """The report as plain data, field by field as in the JSON form."""

    playbook: str
    check_mode: bool
    started: str
    ended: str
    seconds: float
    verdict: str
    counts: dict[str, int]
    nodes: list[dict[str, t.Any]]
    failures: list[dict[str, t.Any]]
    checks: list[Check]
    endpoints: list[dict[str, t.Any]]
    plan: list[str]
    schema_version: int = SCHEMA_VERSION

    @property
    def says_something(self) -> bool:
        """Whether the run changed, proved or broke anything."""
        return any(self.counts.values())


def outcome(host: str, play: int, place: Where, module: str, status: str, result: _result.Result) -> Outcome:
    """Return the outcome of a task from its result."""
    return Outcome(
        host=host,
        play=play,
        where=place,
        module=module.rsplit(".", 1)[-1],
        status=status,
        message=failure_message(result) if status in ("failed", "unreachable") else "",
        checks=tuple(_result.checks_of(result)),
        **_result.node_of(result),
    )


def failure_message(result: _result.Result) -> str:
    """Return why a task failed; of a loop, why each of its failed items did; of a proof, what did not pass."""
    if bad := [check for check in _result.checks_of(result) if check["verdict"] != "pass"]:
        return "did not pass: " + ", ".join(f"{plain(check.get('name', ''))} ({check['verdict']})" for check in bad)
    items = [
        one for one in _result.parts(result) if one is not result and (one.get("failed") or one.get("unreachable"))
    ]
    if not items:
        return _result.message(result)
    return "\n".join(f"{_result.item_label(one)}: {_result.message(one)}" for one in items)


def build(
    *,
    playbook: str,
    started: datetime.datetime,
    ended: datetime.datetime,
    outcomes: t.Iterable[Outcome],
    recap: t.Mapping[str, t.Mapping[str, int]],
    endpoints: t.Iterable[t.Mapping[str, t.Any]] = (),
    plan: t.Sequence[str] = (),
    check_mode: bool = False,
) -> Report:
    """Return the report of a run. ``recap``: per host ok, changed, unreachable, failed, skipped, rescued, ignored.

    ``plan``: the lines that tell what fits, what runs, and why each variable of a container is set.
    """
    kept = list(outcomes)
    checks = final_checks(kept)
    failures = [
        {
            "host": one.host,
            "role": one.where.role,
            "stage": one.where.stage,
            "task": one.where.task,
            "message": one.message,
            "unreachable": one.status == "unreachable",
        }
        for one in kept
        if one.status in ("failed", "unreachable")
    ]
    nodes = [_node(name, counts, kept) for name, counts in sorted(recap.items())]
    counts = {verdict: sum(check["verdict"] == verdict for check in checks) for verdict in VERDICTS}
    counts["changed"] = sum(len(node["changed"]) for node in nodes)
    counts["failures"] = len(failures)
    return Report(
        playbook=playbook,
        check_mode=check_mode,
        started=_utc(started),
        ended=_utc(ended),
        seconds=round((ended - started).total_seconds(), 1),
        verdict="fail" if failures else worst(check["verdict"] for check in checks),
        counts=counts,
        nodes=nodes,
        failures=failures,
        checks=checks,
        endpoints=_unique(scrub(one) for one in endpoints),
        plan=list(plan),
    )


def worst(verdicts: t.Iterable[str]) -> str:
    """Return the worst verdict; nothing proved is ``not_verified``, and so is a verdict that nobody knows."""
    ranks = [VERDICTS.index(one if one in VERDICTS else "not_verified") for one in verdicts]
    return VERDICTS[max(ranks)] if ranks else "not_verified"


def final_checks(outcomes: t.Iterable[Outcome]) -> list[Check]:
    """Return every check as it stood at the end of the run: in the order in which they were first made, then by host.

    A later play replaces what an earlier play said about the same thing, and a later look replaces one that a rescue
    took up. Within a play nothing is replaced, so two services with a check of one name cannot hide each other. What a
    role looks at before it acts (any other stage than its proof) is no statement about the end of the run.
    """
    kept: dict[tuple[str, ...], tuple[int, list[Check]]] = {}
    for one in outcomes:
        if one.where.role and one.where.stage != PROOF_STAGE:
            continue
        by_name: dict[str, list[Check]] = {}
        for check in one.checks:
            by_name.setdefault(plain(check.get("name", "")), []).append(check)
        for name, found in by_name.items():
            key = (one.host, one.where.role, one.module, name)
            play, before = kept.get(key, (0, []))
            rows = [_check(one, check) for check in found]
            kept[key] = (
                0 if one.status == "rescued" else one.play,
                _unique([*before, *rows] if play == one.play else rows),
            )
    first = {key[1:]: place for place, key in reversed(list(enumerate(kept)))}
    ordered = sorted(kept.items(), key=lambda item: (first[item[0][1:]], item[0][0]))
    return [check for _key, (_play, checks) in ordered for check in checks]


def _check(one: Outcome, check: Check) -> Check:
    verdict = check.get("verdict")
    return {
        "host": one.host,
        "role": one.where.role,
        "module": one.module,
        "name": plain(check.get("name", "")),
        "verdict": verdict if verdict in VERDICTS else "not_verified",
        "observed": check.get("observed"),
        "expected": check.get("expected"),
        "remedy": check.get("remedy") or "",
        "source": check.get("source") or "",
    }


def _node(name: str, recap: t.Mapping[str, int], outcomes: list[Outcome]) -> dict[str, t.Any]:
    mine = [one for one in outcomes if one.host == name]
    return {
        "name": name,
        "platform": next((one.platform for one in mine if one.platform), ""),
        "address": next((one.address for one in mine if one.address), ""),
        "recap": dict(recap),
        "changed": [dataclasses.asdict(one.where) for one in mine if one.status == "changed"],
    }


def _unique(values: t.Iterable[t.Any]) -> list[t.Any]:
    return [json.loads(one) for one in dict.fromkeys(json.dumps(value) for value in values)]


def _utc(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_json(report: Report) -> str:
    """Return the report as JSON text."""
    return json.dumps(dataclasses.asdict(report), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
