# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of both sides of each pair become one measurement, and the measurements become outcomes and checks.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import statistics
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric_blame

Measurement = dict[str, t.Any]
Pair = t.Mapping[str, t.Any]
Outcome = t.Mapping[str, t.Any]

UNITS = {"rdma_write_bw": "Gb/s", "rdma_write_lat": "us"}
BANDWIDTH = "rdma_write_bw"


def merged(
    pairs: t.Sequence[Pair], answers: t.Mapping[str, t.Sequence[Measurement]], tests: t.Sequence[str]
) -> list[Measurement]:
    """Return one measurement per pair and test, always: the client's, or one that says why there is none.

    ``pairs``: those that ran and those that were refused, of _fabric_pairs. ``answers``: what the module rdma_speed returned
    on each node, over all waves. ``node`` is the client, ``peer`` the server.
    """
    return [_merged(pair, answers, test) for pair in pairs for test in tests]


def _merged(pair: Pair, answers: t.Mapping[str, t.Sequence[Measurement]], test: str) -> Measurement:
    client, server = pair["client"], pair["server"]
    here, there = pair["client_hca"]["name"], pair["server_hca"]["name"]
    of_client = _answer(answers.get(client, ()), test, server, f"{here} -> {there}")
    of_server = _answer(answers.get(server, ()), test, client, f"{there} -> {here}")
    problems = [pair["problem"]]
    if not pair["problem"] and (of_client is None or of_client["value"] is None):
        problems += [_said(client, of_client), _said(server, of_server)]
    told = [(one or {}).get("parameters", {}) for one in (of_server, of_client)]
    parameters = {**told[0], **told[1]}
    # Known before, or seen by a side when its turn came.
    down = [*pair["down"], *(name for one in told for name in one.get("down", ()))]
    if of_client is not None and of_client["value"] is not None:
        parameters.pop("link_failed", None)
    rates = [pair[side]["gbps"] for side in ("server_hca", "client_hca")]
    parameters |= {
        "rail": pair["rail"],
        "nodes": 2,
        "nic_gbps": None if None in rates else min(rates),
        "link_layer": pair["server_hca"]["link_layer"],
        **({"down": down, "link_failed": True} if down else {}),
    }
    return {
        "node": client,
        "peer": server,
        "kind": test,
        "subject": f"{here} -> {there}",
        "value": None,
        "unit": UNITS[test],
        "series": [],
        "samples": [],
        "tool": "",
        "command": "",
        "seconds": 0.0,
        **(of_client or {}),
        "parameters": parameters,
        "problem": "; ".join(problem for problem in problems if problem),
    }


def _answer(given: t.Sequence[Measurement], test: str, peer: str, subject: str) -> Measurement | None:
    # The last one: a pair that was measured again.
    return next(
        (one for one in reversed(given) if (one["kind"], one["peer"], one["subject"]) == (test, peer, subject)), None
    )


def _said(node: str, answer: Measurement | None) -> str:
    if answer is None:
        return f"{node} gave no answer: it is out of reach or has left the run"
    return f"{node}: {answer['problem']}" if answer["problem"] else ""


def outcomes(
    measurements: t.Sequence[Measurement], floor_share: float = 0.9, outlier_share: float = 0.9
) -> list[dict[str, t.Any]]:
    """Return the outcomes of _fabric_blame.find, of the bandwidths; ``seen``: whether the link itself told something.

    A pair is bad without a figure, below ``floor_share`` of its line rate (0 or an unknown rate: not asked), or below
    ``outlier_share`` of the median of all pairs of its rate. Azure and OCI demand 0.9 to 0.95 of 200 and 400 Gb/s.
    """
    bandwidths = [one for one in measurements if one["kind"] == BANDWIDTH]
    values: dict[t.Any, list[float]] = {}
    for one in bandwidths:
        if one["value"] is not None:
            values.setdefault(one["parameters"]["nic_gbps"], []).append(one["value"])
    medians = {rate: statistics.median(figures) for rate, figures in values.items()}
    return [
        {
            "server": one["peer"],
            "client": one["node"],
            "rail": one["parameters"]["rail"],
            "hcas": dict(zip((one["node"], one["peer"]), one["subject"].split(" -> "), strict=True)),
            "down": one["parameters"].get("down", []),
            "bad": _bad(one, medians, floor_share, outlier_share),
            "seen": one["value"] is not None or bool(one["parameters"].get("link_failed")),
        }
        for one in bandwidths
    ]


def _bad(one: Measurement, medians: t.Mapping[t.Any, float], floor_share: float, outlier_share: float) -> str:
    value, rate = one["value"], one["parameters"]["nic_gbps"]
    if value is None:
        return one["problem"] or "no figure"
    if rate and value < floor_share * rate:
        return f"{value:g} of {rate:g} Gb/s"
    median = medians[rate]
    return f"{value:g} Gb/s, the median is {median:g}" if value < outlier_share * median else ""


#: What is said of a suspect, and what to do.
TEXTS: dict[str, tuple[str, str]] = {
    "down": ("{hca} of {names}", "It was not measured: mend it as the observation says, and repeat the burn-in."),
    "fabric": (
        "every pair",
        "All pairs are bad: look at what they share, as subnet manager, GID index, MTU, firewall, memlock, a wrong rate in the "
        "profile. The first reason is in the observation.",
    ),
    "rail": ("{rail}", "All pairs of this rail are bad and others are not: look at the switch of this rail."),
    "group": (
        "between {parts} on {rail}",
        "Within each part all is well: look at the links between their leaf switches.",
    ),
    "node": (
        "{names} on every rail",
        "All pairs of this node are bad, whoever is the partner: look at its PCIe links, memlock, BIOS, and rdma_health.",
    ),
    "hca": (
        "{hca} of {names}",
        "All pairs of this HCA are bad, whoever is the partner: look at its cable, its switch port and its PCIe width.",
    ),
    "link": (
        "{ends} on {rail}",
        "This pair alone is bad. With other partners on this rail both ends do well, or have none: exchange cables, or measure "
        "with a third node.",
    ),
}


def checks(found: t.Sequence[Outcome], notes: t.Sequence[t.Mapping[str, str]] = ()) -> list[dict[str, t.Any]]:
    """Return the checks of the fabric: one per suspect, or one that passes, and ``not_verified`` for each note."""
    told = [_check("fabric", "not_verified", one["text"], NOTED, one["node"]) for one in notes]
    suspects = _fabric_blame.find(found)
    if found and not suspects:
        told.append(_check("fabric", "pass", f"{len(found)} pairs reach what their links should", ""))
    return [*(_blamed(one, found) for one in suspects), *told]


NOTED = "Give every node its compute HCAs (rdma_hcas names them), in one order and number."


def _blamed(one: _fabric_blame.Suspect, found: t.Sequence[Outcome]) -> dict[str, t.Any]:
    pairs = [found[number] for number in sorted(one.explains)]
    what, remedy = TEXTS[one.kind]
    hca = pairs[0]["hcas"]
    words = {
        "rail": " and ".join(f"rail {rail}" for rail in one.rails),
        "names": ", ".join(one.names),
        "parts": " and ".join(f"({part.replace('+', ', ')})" for part in one.names),
        "hca": hca.get(one.names[0], "") if one.names else "",
        "ends": " and ".join(f"{hca[name]} of {name}" for name in one.names) if one.kind == "link" else "",
    }
    observed = f"{len(pairs)} of {len(found)} pairs, as {_named(pairs[0])}: {pairs[0]['bad']}"
    alone = one.names[0] if one.kind in ("down", "node", "hca") else ""
    # Nobody saw the link where perftest is missing or a node is out of reach.
    verdict = "fail" if any(pair["seen"] for pair in pairs) else "not_verified"
    return _check(f"fabric: {what.format(**words)}", verdict, observed, remedy, alone)


def _named(pair: Outcome) -> str:
    return f"{pair['client']} {pair['hcas'][pair['client']]} -> {pair['server']} {pair['hcas'][pair['server']]}"


def _check(name: str, verdict: str, observed: str, remedy: str, node: str = "") -> dict[str, t.Any]:
    return {
        "node": node,
        "name": name,
        "verdict": verdict,
        "observed": observed,
        "expected": None,
        "remedy": remedy,
        "source": "ib_write_bw between pairs of nodes",
    }
