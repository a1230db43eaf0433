# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge the points of a load test: were requests answered, do they keep the SLO, what does the gateway cost.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Checks have the fields of module_utils/_verdict.py, and where: ``node`` is the target, ``subject`` the point, as in an acceptance.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_compare
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import number
from ansible_collections.gpufleet.inference.plugins.plugin_utils._load_kinds import Point

Check = dict[str, t.Any]
Wishes = t.Mapping[str, t.Any]

#: What most often lies behind a reason that the tool tells, and what to do.
REMEDIES = {
    "Unauthorized": "The key was refused: look at api_keys_path of the target.",
    "Bad Request": "The engine refuses the requests: is input and output of load_test_lengths within its max_model_len?",
    "Not Found": "The URL or the model's name is wrong: look at url and model of the target.",
    "CERTIFICATE_VERIFY_FAILED": "The certificate is not trusted: give ca_path of the target.",
    "Cannot connect": "Nobody listens there: run playbooks/verify.yml.",
    "Bad Gateway": "The gateway finds no engine: run playbooks/verify.yml.",
    "Too Many Requests": "The gateway limits this key or its queue is full: load less, or raise its limits.",
    "Gateway Timeout": "The engine did not answer in time: load less, or look at its queue.",
}
OTHERWISE = "Read the engine's log of that time."


def checks(points: t.Sequence[Point], wishes: Wishes) -> list[Check]:
    """Return the checks of all points and targets. ``wishes``: slo, slo_share, success_share, gateway_tax."""
    found = [answered(one, float(wishes["success_share"])) for one in points]
    found += [check for one in points for check in short_answers(one)]
    if wishes["slo"]:
        for target in dict.fromkeys(str(one["target"]) for one in points):
            found += _kept(target, [one for one in points if one["target"] == target], wishes)
    return found + _tax(points, wishes)


def answered(point: Point, wanted: float) -> Check:
    """Judge the share of requests that were completed; a point that was not measured is not verified."""
    place = (point, "requests answered", f"at least {wanted * 100:g} %")
    share = kinds.success_share(point)
    if point["problem"] or share is None:
        why = point["problem"] or "the load generator sent nothing"
        return _check(*place, "not_verified", why, "Look at the host that makes the load, and at its container.")
    text = f"{point['completed']} of {point['completed'] + point['failed']}"
    if not point["failed"]:
        return _check(*place, "pass", text)
    reasons = "; ".join(f"{one['text']} ({one['count']})" for one in point["errors"])
    verdict = "fail" if share < wanted or not point["completed"] else "warn"
    return _check(*place, verdict, f"{text}: {reasons}", remedy(point))


def remedy(point: Point) -> str:
    """Return what to do about the most frequent reason."""
    first = str(point["errors"][0]["text"]) if point["errors"] else ""
    return next((text for word, text in REMEDIES.items() if word in first), OTHERWISE)


def short_answers(point: Point) -> list[Check]:
    """Warn of replies with fewer tokens than asked for: their figures flatter, as less was generated."""
    asked, least = point.get("asked_output_tokens"), point.get("least_output_tokens")
    if asked is None or least is None or least >= asked:
        return []
    text = "Does the engine honour ignore_eos, and does it fit into its max_model_len?"
    return [_check(point, "length of replies", f"{asked} tokens", "warn", f"as little as {least} tokens", text)]


def _kept(target: str, points: t.Sequence[Point], wishes: Wishes) -> list[Check]:
    """Judge per mix and loop up to which load the SLO is kept. A sweep is meant to go beyond it, so one load is enough."""
    found = []
    limits = ", ".join(f"{name.removesuffix('_ms').upper()} {limit:g} ms" for name, limit in wishes["slo"].items())
    wanted = float(wishes["slo_share"])
    for mix, loop in dict.fromkeys((one["mix"], one["loop"]) for one in points):
        mine = [one for one in points if (one["mix"], one["loop"]) == (mix, loop)]
        shares = [(one, kinds.good_share(one)) for one in mine]
        known = [(one, share) for one, share in shares if share is not None]
        place = (f"{mix}, {loop} loop", "SLO", f"{limits}, by {wanted * 100:g} % of requests")
        if not known:
            found.append(_check_at(target, *place, "not_verified", "no point was measured", "Mend what failed before."))
            continue
        good = [one for one, share in known if share >= wanted]
        if not good:
            best, share = max(known, key=lambda pair: pair[1])
            text = f"kept by {share * 100:.0f} % at best, with {kinds.load_text(best)}"
            found.append(_check_at(target, *place, "fail", text, "Load less, add replicas, or widen load_test_slo."))
            continue
        most = max(good, key=lambda one: float(one["load"]))
        goodput = number(kinds.value(most, "good_requests_per_second"))
        text = f"kept up to {kinds.load_text(most)}, {goodput} good requests/s there"
        found.append(_check_at(target, *place, "pass", text))
    return found


def _tax(points: t.Sequence[Point], wishes: Wishes) -> list[Check]:
    """Judge what the gateway costs where one deployment was loaded both ways. It warns: one sample of each has noise."""
    limits = wishes["gateway_tax"]
    if not limits:
        return []
    found = []
    for through, direct in pairs(points):
        lost = kinds.worse_by(
            "output_tokens_per_second",
            _figure(through, "output_tokens_per_second"),
            _figure(direct, "output_tokens_per_second"),
        )
        later = _figure(through, "ttft_p50_ms") - _figure(direct, "ttft_p50_ms")
        share, ms = float(limits["throughput_share"]), float(limits["ttft_ms"])
        text = f"throughput {_load_compare.change('output_tokens_per_second', lost)}, median TTFT {later:+.2f} ms"
        place = (through, "cost of the gateway", f"at most {share * 100:g} % and {ms:g} ms against the engine itself")
        over = lost > share or later > ms
        advice = (
            "Measure again with more requests on a quiet host; if it stays, look at the gateway's host and its workers."
        )
        found.append(_check(*place, "warn" if over else "pass", text, advice if over else ""))
    return found


def pairs(points: t.Sequence[Point]) -> list[tuple[Point, Point]]:
    """Return (through the gateway, at the engine) of one deployment under one load, both measured."""
    direct = {
        (one["deployment"], *kinds.key(one)[1:]): one for one in points if one["route"] == "engine" and one["completed"]
    }
    found = []
    for one in points:
        other = direct.get((one["deployment"], *kinds.key(one)[1:]))
        if one["route"] == "gateway" and one["completed"] and other is not None:
            found.append((one, other))
    return found


def _figure(point: Point, metric: str) -> float:
    return kinds.value(point, metric) or 0.0


def _check(point: Point, name: str, expected: str, verdict: str, observed: str, remedy: str = "") -> Check:
    subject = f"{point['mix']}, {kinds.load_text(point)}"
    return _check_at(str(point["target"]), subject, name, expected, verdict, observed, remedy)


def _check_at(
    target: str, subject: str, name: str, expected: str, verdict: str, observed: str, remedy: str = ""
) -> Check:
    return {
        "node": target,
        "peer": "",
        "kind": "load",
        "subject": subject,
        "title": name,
        "origin": "load test",
        "name": name,
        "verdict": verdict,
        "observed": observed,
        "expected": expected,
        "remedy": remedy,
        "source": "vllm bench serve",
        "value": None,
        "unit": "",
    }
