# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the pairs that were slow to the node, the HCA, the rail or the link that explains them.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

An *outcome* is ``{"server": "n1", "client": "n2", "rail": 0, "hcas": {"n1": "mlx5_0", "n2": "mlx5_0"}, "bad": "why" or "",
"down": [nodes whose HCA was known to be down, if any]}``. Those explain their pairs, from which nothing else is learnt. A
suspect explains its pairs when all of them are bad; of those that do, the one that explains most is named, then the next one for
what is left (a greedy cover). One pair alone never condemns one of its two ends.
"""

from __future__ import annotations

import dataclasses
import typing as t

Outcome = t.Mapping[str, t.Any]

#: What can be named, from the simplest explanation to the last resort.
KINDS = ("down", "fabric", "rail", "group", "node", "hca", "link")


@dataclasses.dataclass(frozen=True)
class Suspect:
    """``names``: nodes; for a group ``n1+n2``, one name per part. ``explains``: numbers of outcomes."""

    kind: str
    names: tuple[str, ...]
    rails: tuple[int, ...]
    explains: frozenset[int]


def find(outcomes: t.Sequence[Outcome]) -> list[Suspect]:
    """Return who explains the bad pairs: those that were down, then the greatest first; nothing when none is bad."""
    numbers = [number for number, one in enumerate(outcomes) if not one.get("down")]
    explained = _explained([outcomes[number] for number in numbers])
    own = [dataclasses.replace(one, explains=frozenset(numbers[at] for at in one.explains)) for one in explained]
    return [*_down(outcomes), *own]


def _down(outcomes: t.Sequence[Outcome]) -> list[Suspect]:
    pairs: dict[tuple[str, int], set[int]] = {}
    for number, one in enumerate(outcomes):
        for name in one.get("down", ()):
            pairs.setdefault((name, one["rail"]), set()).add(number)
    return [Suspect("down", (name,), (rail,), frozenset(own)) for (name, rail), own in pairs.items()]


def _explained(outcomes: t.Sequence[Outcome]) -> list[Suspect]:
    bad = frozenset(number for number, one in enumerate(outcomes) if one["bad"])
    suspects = [one for one in _suspects(outcomes) if one.explains <= bad]
    found: list[Suspect] = []
    left = bad
    while left:
        best = min(suspects, key=lambda one: (-len(one.explains & left), KINDS.index(one.kind), one.names, one.rails))
        found.append(best)
        left -= best.explains
    return found


def uncertain(outcomes: t.Sequence[Outcome]) -> list[tuple[str, int]]:
    """Return (node, rail) of both ends of each slow link when an end met nobody else there: it must meet a good one."""
    found = []
    for one in find(outcomes):
        if one.kind != "link":
            continue
        rail = one.rails[0]
        met = {name: _partners([pair for pair in outcomes if not pair.get("down")], name, rail) for name in one.names}
        found += [(name, rail) for name in one.names if len(met[name]) < 2]
    return found


def good(outcomes: t.Sequence[Outcome]) -> dict[int, list[str]]:
    """Return {rail: nodes that had a good pair on it}."""
    found: dict[int, set[str]] = {}
    for one in outcomes:
        if not one["bad"]:
            found.setdefault(one["rail"], set()).update((one["server"], one["client"]))
    return {rail: sorted(names) for rail, names in found.items()}


def _partners(outcomes: t.Sequence[Outcome], name: str, rail: int) -> set[str]:
    both = [{one["server"], one["client"]} for one in outcomes if one["rail"] == rail]
    return {other for ends in both if name in ends for other in ends - {name}}


def _suspects(outcomes: t.Sequence[Outcome]) -> list[Suspect]:
    names = sorted({name for one in outcomes for name in (one["server"], one["client"])})
    rails = sorted({one["rail"] for one in outcomes})

    def where(name: str = "", rail: int | None = None) -> frozenset[int]:
        return frozenset(
            number
            for number, one in enumerate(outcomes)
            if (not name or name in (one["server"], one["client"])) and (rail is None or rail == one["rail"])
        )

    found = [
        Suspect("link", tuple(sorted((one["server"], one["client"]))), (one["rail"],), frozenset({number}))
        for number, one in enumerate(outcomes)
    ]
    for name in names:
        condemning = [rail for rail in rails if len(_partners(outcomes, name, rail)) > 1]
        found += [Suspect("hca", (name,), (rail,), where(name, rail)) for rail in condemning]
        if len(condemning) > 1:
            found.append(Suspect("node", (name,), tuple(rails), where(name)))
    if len(names) > 2:
        # A node that is in every pair explains them better than what all nodes share.
        spread = [rail for rail in rails if not any(where(rail=rail) <= where(name) for name in names)]
        found += [Suspect("rail", (), (rail,), where(rail=rail)) for rail in spread]
        if not any(where() <= where(name) for name in names):
            found.append(Suspect("fabric", (), tuple(rails), where()))
    elif len(outcomes) > 1:
        found.append(Suspect("fabric", (), tuple(rails), where()))
    return [*found, *_groups(outcomes, rails)]


def _groups(outcomes: t.Sequence[Outcome], rails: t.Sequence[int]) -> list[Suspect]:
    """Return the parts of a fleet that are fine within and slow between: what joins them, as two leaves, is the suspect."""
    rails_of: dict[tuple[str, ...], list[int]] = {}
    for rail in rails:
        parts = [part for part in _parts([one for one in outcomes if one["rail"] == rail]) if len(part) > 1]
        if len(parts) > 1:
            rails_of.setdefault(tuple("+".join(sorted(part)) for part in parts), []).append(rail)
    found = []
    for names, where in rails_of.items():
        part_of = {name: part for part in names for name in part.split("+")}
        between = frozenset(
            number
            for number, one in enumerate(outcomes)
            if one["rail"] in where
            and {one["server"], one["client"]} <= set(part_of)
            and part_of[one["server"]] != part_of[one["client"]]
        )
        found.append(Suspect("group", names, tuple(where), between))
    return found


def _parts(outcomes: t.Sequence[Outcome]) -> list[set[str]]:
    """Return the sets of nodes that good pairs join."""
    parts = [{name} for name in sorted({name for one in outcomes for name in (one["server"], one["client"])})]
    for one in outcomes:
        if not one["bad"]:
            joined = [part for part in parts if part & {one["server"], one["client"]}]
            parts = [part for part in parts if part not in joined] + [set().union(*joined)]
    return parts
